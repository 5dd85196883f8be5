// Jiamenkou (家门口) runs a county's volunteer points and community rewards.
package main

import (
	"context"
	_ "embed"
	"os"
	"os/signal"
	"syscall"

	"jiamenkou/internal/app"
)

//go:embed config.yaml
var defaults []byte

func main() {
	os.Exit(run())
}

func run() (code int) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	program := app.Program{Defaults: defaults, Environ: os.Environ(), Out: os.Stdout, Err: os.Stderr}
	return program.Run(ctx, os.Args[1:])
}
