package elasticsearch

import "testing"

func TestCommonPrefix(t *testing.T) {
	for _, c := range []struct {
		want     string
		patterns []string
	}{
		{"", []string{"*"}}, {"host", []string{"host*"}}, {"host.na", []string{"host.name", "host.na?e"}}, {"", []string{"host", "level"}},
		{"message", []string{"message.keyword"}}, {"message", []string{"message.key*"}}, {"message", []string{"message.*"}}, {"a", []string{`a\*b`}},
		{"host", []string{"host.keyword", "host.name"}},
	} {
		if got := commonPrefix(c.patterns); got != c.want {
			t.Errorf("of %q: %q, want %q", c.patterns, got, c.want)
		}
	}
}
