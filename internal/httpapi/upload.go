package httpapi

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"jiamenkou/internal/fault"
)

// Errors of uploads.
var (
	ErrFileTooLarge = fault.New(fault.TooLarge, "upload.too_large", "文件太大，请压缩后再上传")
	ErrNoFile       = fault.New(fault.Invalid, "upload.no_file", "没有收到文件，请重新选择")
)

// fileField is the part that holds the file.
const fileField = "file"

// multipartOverheadBytes is what a multipart body needs beside its file.
const multipartOverheadBytes = 16 << 10

// HandleUpload registers an operation that takes one file as the multipart
// field "file", the only form that wx.uploadFile sends. huma ignores body
// limits for multipart, so this is plain gin with the limit kept twice: by
// Content-Length before the first byte and by a reader while it streams.
func HandleUpload[O any](s *Surface, route string, guard Guard, id, tag, summary string, maxFileBytes int64,
	handler func(ctx context.Context, file []byte) (O, error), opts ...Option,
) {
	op := s.operation(route, guard, id, tag, summary, opts)
	op.RequestBody = &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		"multipart/form-data": {Schema: &huma.Schema{
			Type: "object", Required: []string{fileField},
			Properties: map[string]*huma.Schema{fileField: {Type: "string", Format: "binary"}},
		}},
	}}
	registry := s.api.OpenAPI().Components.Schemas
	op.Responses = map[string]*huma.Response{
		"201": {Description: "Created", Content: map[string]*huma.MediaType{
			"application/json": {Schema: huma.SchemaFromType(registry, typeOf[O]())},
		}},
		"default": {Description: "Error", Content: map[string]*huma.MediaType{
			"application/problem+json": {Schema: registry.Schema(typeOf[Problem](), true, "Problem")},
		}},
	}
	limiter := s.limiter(&op)
	s.api.OpenAPI().AddOperation(&op)
	ginPath := strings.NewReplacer("{", ":", "}", "").Replace(op.Path)
	s.router.Handle(op.Method, s.cfg.Prefix+ginPath, func(c *gin.Context) {
		ctx, err := s.admit(c, guard, limiter)
		if err != nil {
			WriteProblem(c, err)
			return
		}
		file, err := readFile(c, maxFileBytes)
		if err != nil {
			WriteProblem(c, err)
			return
		}
		out, err := handler(ctx, file)
		if err != nil {
			WriteProblem(c, err)
			return
		}
		c.JSON(http.StatusCreated, out)
	})
}

func readFile(c *gin.Context, maxFileBytes int64) ([]byte, error) {
	if c.Request.ContentLength > maxFileBytes+multipartOverheadBytes {
		return nil, ErrFileTooLarge
	}
	c.Request.Body = http.MaxBytesReader(c.Writer, c.Request.Body, maxFileBytes+multipartOverheadBytes)
	parts, err := c.Request.MultipartReader()
	if err != nil {
		return nil, ErrNoFile
	}
	for {
		part, err := parts.NextPart()
		var tooLarge *http.MaxBytesError
		switch {
		case errors.As(err, &tooLarge):
			return nil, ErrFileTooLarge
		case err != nil:
			return nil, ErrNoFile
		case part.FormName() != fileField:
			continue
		}
		file, err := io.ReadAll(io.LimitReader(part, maxFileBytes+1))
		switch {
		case errors.As(err, &tooLarge), int64(len(file)) > maxFileBytes:
			return nil, ErrFileTooLarge
		case err != nil || len(file) == 0:
			return nil, ErrNoFile
		}
		return file, nil
	}
}
