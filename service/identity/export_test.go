package identity

import "jiamenkou/internal/fault"

// AccessKey lets tests forge tokens that are wrong in one respect only.
func AccessKey(s *Service) []byte { return s.tokens.accessKey }

// CheckPassword returns the faults of a password.
func CheckPassword(password, username string) fault.Fields {
	var f fault.Fields
	checkPassword(&f, "password", password, username)
	return f
}
