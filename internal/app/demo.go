package app

import (
	"context"
	"io"

	"jiamenkou/internal/database"
)

// prepareDemo migrates and loads the demo county, once.
func (a *App) prepareDemo(ctx context.Context, _ io.Writer) error {
	if _, err := database.Migrate(ctx, a.db); err != nil {
		return err
	}
	return nil
}

// welcome says where to look.
func (a *App) welcome(p *Program, addr string) {
	p.printf("家门口 is running at http://%s (Ctrl-C stops it)\n", addr)
}
