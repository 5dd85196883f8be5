package settlement

// AfterBatch calls f with the number of transactions that a closing has
// committed, after each: where a test kills it.
func (s *Service) AfterBatch(f func(n int)) { s.afterBatch = f }
