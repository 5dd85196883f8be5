package httpapi

import (
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/vearutop/statigz"
)

// contentPolicy lets a page of ours load from this server only: pictures and
// films may also be made by the page itself (QR codes, previews, the camera).
const contentPolicy = "default-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self' data:; " +
	"style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'self'"

// Site serves a built client below base ("/" or "/console/"). Text is stored
// as .gz and unpacked for the rare client that does not take it. A path that
// is no file and looks like a page gets index.html, since the client routes
// by itself; everything else that is missing is a 404.
//
// Files below assets/ carry a hash in their names and are kept for a year;
// the rest is asked for again by its ETag.
func Site(base string, files fs.ReadDirFS) http.Handler {
	server := statigz.FileServer(files, statigz.OnNotFound(http.NotFound))
	return http.StripPrefix(strings.TrimSuffix(base, "/"), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", contentPolicy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(self), geolocation=(self), microphone=()")
		h.Set("Cache-Control", "no-cache")
		switch found := server.Found(r); {
		case !found && path.Ext(r.URL.Path) == "":
			r.URL.Path = "/" // StripPrefix made a copy of the request
		case found && strings.HasPrefix(r.URL.Path, "/assets/"):
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		}
		server.ServeHTTP(w, r)
	}))
}
