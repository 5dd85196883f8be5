package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/httpapi"
)

func zipped(t *testing.T, text string) *fstest.MapFile {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, err := w.Write([]byte(text))
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return &fstest.MapFile{Data: b.Bytes()}
}

func TestSite(t *testing.T) {
	var files fs.ReadDirFS = fstest.MapFS{
		"index.html.gz":         zipped(t, "<title>page</title>"),
		"assets/app-1a2b.js.gz": zipped(t, "run()"),
		"assets/logo-1a2b.png":  {Data: []byte("\x89PNG")},
	}
	for _, base := range []string{"/", "/console/"} {
		site := httpapi.Site(base, files)
		get := func(path string, headers ...string) *httptest.ResponseRecorder {
			r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, base+path, http.NoBody)
			for i := 0; i+1 < len(headers); i += 2 {
				r.Header.Set(headers[i], headers[i+1])
			}
			w := httptest.NewRecorder()
			site.ServeHTTP(w, r)
			return w
		}
		t.Run(base+" sends text packed, and plain to who cannot unpack it", func(t *testing.T) {
			packed := get("assets/app-1a2b.js", "Accept-Encoding", "gzip, br")
			require.Equal(t, "gzip", packed.Header().Get("Content-Encoding"))
			require.Contains(t, packed.Header().Get("Content-Type"), "javascript")
			plain := get("assets/app-1a2b.js")
			require.Empty(t, plain.Header().Get("Content-Encoding"))
			require.Equal(t, "run()", plain.Body.String())
		})
		t.Run(base+" keeps hashed files for a year and asks again for the page", func(t *testing.T) {
			require.Contains(t, get("assets/logo-1a2b.png").Header().Get("Cache-Control"), "immutable")
			page := get("")
			require.Equal(t, "no-cache", page.Header().Get("Cache-Control"))
			require.Equal(t, http.StatusNotModified, get("", "If-None-Match", page.Header().Get("Etag")).Code)
		})
		t.Run(base+" gives the page to paths of the client, and 404 to missing files", func(t *testing.T) {
			deep := get("cases/01K/edit")
			require.Equal(t, http.StatusOK, deep.Code)
			require.Equal(t, "<title>page</title>", deep.Body.String())
			missing := get("assets/gone-1a2b.js")
			require.Equal(t, http.StatusNotFound, missing.Code)
			require.NotContains(t, missing.Header().Get("Cache-Control"), "immutable")
		})
		t.Run(base+" lets pages load from this server only", func(t *testing.T) {
			require.Contains(t, get("").Header().Get("Content-Security-Policy"), "default-src 'self'")
		})
		t.Run(base+" takes no other method", func(t *testing.T) {
			w := httptest.NewRecorder()
			site.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, base+"anything", http.NoBody))
			require.Equal(t, http.StatusMethodNotAllowed, w.Code)
		})
	}
}
