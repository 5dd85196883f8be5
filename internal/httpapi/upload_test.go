package httpapi_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"jiamenkou/internal/fault"
	"jiamenkou/internal/httpapi"
)

const maxFileBytes = 64 << 10

type uploaded struct {
	Size int `json:"size"`
}

// form is a multipart body with one file in the field of that name.
func form(t *testing.T, field string, file []byte) (body []byte, contentType string) {
	t.Helper()
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	require.NoError(t, w.WriteField("other", "ignored"))
	part, err := w.CreateFormFile(field, marker+".jpg")
	require.NoError(t, err)
	_, err = part.Write(file)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes(), w.FormDataContentType()
}

// counting reports how much of it was read.
type counting struct {
	io.Reader
	read int
}

func (c *counting) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.read += n
	return n, err
}

func TestUpload(t *testing.T) {
	r := newRig(t)
	var calls int
	httpapi.HandleUpload(r.surface, "POST /things/{id}/file", httpapi.Resident, "file", "t", "s", maxFileBytes,
		func(_ context.Context, file []byte) (uploaded, error) {
			calls++
			if bytes.HasPrefix(file, []byte("bad")) {
				return uploaded{}, fault.New(fault.Invalid, "picture.bad", "不是图片")
			}
			return uploaded{len(file)}, nil
		})
	post := func(body io.Reader, contentType string, length int64, token string) *httptest.ResponseRecorder {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/v1/things/1/file", body)
		req.ContentLength = length
		req.Header.Set("Content-Type", contentType)
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		return r.do(req)
	}
	send := func(t *testing.T, field string, file []byte, token string) *httptest.ResponseRecorder {
		body, contentType := form(t, field, file)
		return post(bytes.NewReader(body), contentType, int64(len(body)), token)
	}

	t.Run("takes a file up to the limit", func(t *testing.T) {
		for _, n := range []int{1, maxFileBytes} {
			answer := send(t, "file", bytes.Repeat([]byte("x"), n), "resident")
			require.Equal(t, 201, answer.Code, answer.Body.String())
			var got uploaded
			require.NoError(t, json.Unmarshal(answer.Body.Bytes(), &got))
			require.Equal(t, n, got.Size)
		}
	})
	before := calls
	t.Run("one byte more is refused", func(t *testing.T) {
		r.problem(send(t, "file", make([]byte, maxFileBytes+1), "resident"), 413, "upload.too_large")
	})
	t.Run("a length over the limit is refused before the first byte", func(t *testing.T) {
		body, contentType := form(t, "file", make([]byte, 4*maxFileBytes))
		reader := &counting{Reader: bytes.NewReader(body)}
		r.problem(post(reader, contentType, int64(len(body)), "resident"), 413, "upload.too_large")
		require.Zero(t, reader.read)
	})
	t.Run("a stream without a length is cut at the limit", func(t *testing.T) {
		body, contentType := form(t, "file", make([]byte, 8<<20))
		reader := &counting{Reader: bytes.NewReader(body)}
		r.problem(post(reader, contentType, -1, "resident"), 413, "upload.too_large")
		require.Less(t, reader.read, 1<<20)
	})
	t.Run("so is one that hides its size in another field", func(t *testing.T) {
		body, contentType := form(t, "padding", make([]byte, 8<<20))
		reader := &counting{Reader: bytes.NewReader(body)}
		r.problem(post(reader, contentType, -1, "resident"), 413, "upload.too_large")
		require.Less(t, reader.read, 1<<20)
	})
	t.Run("without a file", func(t *testing.T) {
		whole, contentType := form(t, "file", []byte("0123456789"))
		for name, answer := range map[string]*httptest.ResponseRecorder{
			"empty file":      send(t, "file", nil, "resident"),
			"another field":   send(t, "picture", []byte("x"), "resident"),
			"not multipart":   post(strings.NewReader(marker), "application/json", -1, "resident"),
			"no boundary":     post(strings.NewReader(marker), "multipart/form-data", -1, "resident"),
			"empty body":      post(strings.NewReader(""), contentType, 0, "resident"),
			"cut in the file": post(bytes.NewReader(whole[:len(whole)/2+40]), contentType, -1, "resident"),
		} {
			require.NotContains(t, answer.Body.String(), marker, name)
			requireProblem(t, answer.Code, answer.Header(), answer.Body.Bytes(), 422, "upload.no_file")
		}
	})
	require.Equal(t, before, calls, "the handler saw none of these")
	t.Run("guards come first", func(t *testing.T) {
		r.problem(send(t, "file", make([]byte, 2*maxFileBytes), ""), 401, "auth.required")
		r.problem(send(t, "file", []byte("x"), "operator"), 403, "auth.forbidden")
	})
	t.Run("a fault of the handler is its problem", func(t *testing.T) {
		r.problem(send(t, "file", []byte("bad"), "resident"), 422, "picture.bad")
	})
}
