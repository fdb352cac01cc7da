package match_test

import (
	"testing"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/match"
)

// An id is a text even where it reads as a number; any other value means its number too.
func TestIdsAreTexts(t *testing.T) {
	for _, c := range []struct {
		field, text string
		want        event.Type
	}{
		{event.TraceField, "00000000000000000000000000000032", event.TypeString},
		{event.SpanField, "12345678901234e5", event.TypeString},
		{"http.status", "503", event.TypeInt},
		{"took", "1e3", event.TypeFloat},
		{"host.name", "web-1", event.TypeString},
	} {
		f := match.Value(c.field, c.text, false)
		if len(f.Values) != 1 || f.Values[0].Type() != c.want {
			t.Errorf("%s %s asks for %v", c.field, c.text, f.Values)
		}
	}
}
