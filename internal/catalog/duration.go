package catalog

import (
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// Duration is a time.Duration that reads and writes as Prometheus does: "30d", "1h30m", "0s". It can stand in a PromQL range.
type Duration time.Duration

// String reads back to the same value, cut to whole milliseconds.
func (d Duration) String() string { return event.FormatDuration(time.Duration(d)) }

// MarshalText writes String.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := event.ParseDuration(string(text))
	*d = Duration(v)
	return err
}
