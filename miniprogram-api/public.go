package miniprogram

// public names every operation of this surface that needs no login, and why.
var public = map[string]string{
	"login-resident":     "logging in",
	"refresh-resident":   "the refresh token is the credential",
	"get-client-config":  "what a client must know before anybody logs in; no secrets",
	"get-media":          "covers and recordings that staff published; the key cannot be guessed",
	"resolve-scene":      "a scanned code says where to go before anybody logs in; it is decoded, nothing is looked up",
	"list-seals":         "published, so that anybody may keep the roots",
	"verify-certificate": "whoever holds a certificate may ask whether it is genuine; number and check code are the credential",
	"get-attachment":     "the signature in the link is the credential",
}
