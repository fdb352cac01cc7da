package pattern_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/logs/pattern"
)

func TestMiner(t *testing.T) {
	var m pattern.Miner
	for i := range 100 {
		m.Add(fmt.Sprintf("user %d logged in from 10.0.0.%d in %dms", i, i%7, i), "info", int64(i))
		m.Add(fmt.Sprintf("payment of order a%07x declined by provider %s", i*7919, []string{"adyen", "stripe"}[i%2]), "error", int64(i))
	}
	m.Add("out of memory", "fatal", 5)
	var got []string
	for _, p := range m.Patterns() {
		got = append(got, fmt.Sprintf("%d %s", p.Count, p.Template))
	}
	want := "100 payment of order <hex> declined by provider <*>|100 user <n> logged in from <ip> in <n>|1 out of memory"
	if strings.Join(got, "|") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, "|"), want)
	}
}

func TestMask(t *testing.T) {
	for in, want := range map[string]string{
		"at 2026-01-02T03:04:05.678Z took 12.5ms": "at <time> took <n>",
		"id 6f1c2f7e-8a0b-4c3d-9e1f-001122334455": "id <uuid>",
		"GET /cart/17 -> 200":                     "GET /cart/<n> -> <n>",
		"mail to a.b@example.com failed\nat x":    "mail to <email> failed",
		"ptr 0xc000123abc":                        "ptr <hex>",
	} {
		if got := pattern.Mask(in); got != want {
			t.Errorf("%q is masked %q, want %q", in, got, want)
		}
	}
}

func FuzzMiner(f *testing.F) {
	f.Add("user 1 logged in", "user 2 logged in")
	f.Fuzz(func(t *testing.T, a, b string) {
		var m pattern.Miner
		m.Add(a, "", 1)
		m.Add(b, "", 2)
		var n int64
		for _, p := range m.Patterns() {
			n += p.Count
		}
		if n > 2 {
			t.Fatalf("%q and %q are %d", a, b, n)
		}
	})
}
