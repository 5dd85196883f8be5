package api

// public names every operation of this surface that needs no login, and why.
var public = map[string]string{}
