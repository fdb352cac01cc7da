package cli

import (
	"io"
	"log/slog"
)

// newLogger writes structured lines to w: daytwo's own log goes to standard
// output and nowhere else.
func newLogger(w io.Writer, level *logLevel) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level.Level}))
}
