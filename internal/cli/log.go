package cli

import (
	"fmt"
	"io"
	"log/slog"
)

// newLogger writes structured lines to w: daytwo's own log goes to standard
// output and nowhere else.
func newLogger(w io.Writer, level slog.Level) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level}))
}

// logLevel reads the least level that is logged.
func logLevel(text string) (level slog.Level, err error) {
	if level.UnmarshalText([]byte(text)) != nil {
		return level, fmt.Errorf("%q is not one of debug, info, warn and error", text)
	}
	return level, nil
}
