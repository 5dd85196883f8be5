package api

// public names every operation of this surface that needs no login, and why.
var public = map[string]string{
	"login-staff":          "logging in",
	"complete-login-staff": "the second step of logging in: the challenge is the credential",
	"login-staff-wechat":   "logging in",
	"refresh-staff":        "the refresh token is the credential",
}
