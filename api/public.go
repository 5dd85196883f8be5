package api

// public names every operation of this surface that needs no login, and why.
var public = map[string]string{
	"login-staff":        "logging in",
	"login-staff-wechat": "logging in",
	"refresh-staff":      "the refresh token is the credential",
}
