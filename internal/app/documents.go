package app

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"jiamenkou/internal/clock"
	"jiamenkou/internal/config"
)

// Document is one OpenAPI file.
type Document struct {
	Name string // "mp-v1.json"
	Text []byte
}

// Documents returns the OpenAPI documents of both surfaces. It needs no
// database.
func Documents() ([]Document, error) {
	cfg := config.Config{HTTP: config.HTTP{MaxBodyBytes: 1 << 16}}
	s := mount(cfg, clock.NewSystem(), slog.New(slog.DiscardHandler), &App{requests: newRequestMetric()})
	staff, err := s.staff.OpenAPI()
	if err != nil {
		return nil, err
	}
	residents, err := s.residents.OpenAPI()
	if err != nil {
		return nil, err
	}
	return []Document{{"api-v1.json", staff}, {"mp-v1.json", residents}}, nil
}

func writeDocuments(folder string, docs []Document, check bool, printf func(string, ...any)) error {
	for _, d := range docs {
		path := filepath.Join(folder, d.Name)
		have, err := os.ReadFile(path) //nolint:gosec // the caller names the folder
		if check {
			if err != nil || !bytes.Equal(have, d.Text) {
				return fmt.Errorf("openapi: %s is stale: run make openapi and commit it", path)
			}
			continue
		}
		if err := os.MkdirAll(folder, 0o750); err != nil {
			return fmt.Errorf("openapi: %w", err)
		}
		if err := os.WriteFile(path, d.Text, 0o600); err != nil {
			return fmt.Errorf("openapi: %w", err)
		}
		printf("wrote %s\n", path)
	}
	return nil
}
