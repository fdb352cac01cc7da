package demo

import (
	"context"
	"log/slog"
	"os"

	"github.com/daytwo-dev/daytwo/internal/app"
)

// OpenAPI returns the API document of a server with the demo's routes, made
// from the routes themselves on a directory that is thrown away.
func OpenAPI(ctx context.Context) ([]byte, error) {
	dir, err := os.MkdirTemp("", "daytwo-openapi-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	listener, err := app.Listen(ctx, "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer listener.Close()
	c := app.Config{Listen: "127.0.0.1:2020", DataDir: dir, PublicURL: "http://127.0.0.1:2020", Retention: app.MinRetention, Runs: 1, Grace: 1}
	a, err := app.New(ctx, c, app.Options{Logger: slog.New(slog.DiscardHandler), Listener: listener, Demo: true, Routes: (&demo{}).routes})
	if err != nil {
		return nil, err
	}
	defer a.Close()
	return a.OpenAPI()
}
