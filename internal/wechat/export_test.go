package wechat

// Exchanges counts the exchanges that are registered.
func Exchanges() int {
	n := 0
	exchanges.Range(func(any, any) bool { n++; return true })
	return n
}
