package schedule

import (
	"context"
	"time"
)

// Looked is how many occurrences of rules reading a calendar looks at.
func Looked(ctx context.Context, text string, loc *time.Location, within Span) (int, error) {
	_, looked, err := parseICal(ctx, []byte(text), loc, within)
	return looked, err
}
