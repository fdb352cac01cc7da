package alertmanager

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
)

// The address that was called may hold a secret, and some receivers put it into their errors.
func TestWithoutAddress(t *testing.T) {
	failed := &url.Error{Op: "Post", URL: "https://api.telegram.org/bot123:secret/sendMessage", Err: errors.New("connection refused")}
	for _, err := range []error{failed, fmt.Errorf("telebot: %w", failed), fmt.Errorf("a\n%w", errors.Join(errors.New("b"), failed))} {
		if got := withoutAddress(err); strings.Contains(got, "secret") || !strings.Contains(got, "connection refused") {
			t.Errorf("%q is shown as %q", err, got)
		}
	}
}
