package event_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func TestLabels(t *testing.T) {
	l := event.Labels{"service": "shop", "code": `5"x`, "http.host": "a\nb"}
	if got, want := l.String(), `{code="5\"x", "http.host"="a\nb", service="shop"}`; got != want {
		t.Errorf("String() = %s, want %s", got, want)
	}
	if got := event.Labels(nil).String(); got != "{}" {
		t.Errorf("no labels are %s", got)
	}
	// Stored fingerprints must mean the same in every release.
	if got, want := l.Fingerprint(), "e71eb57b2b6ef6e5"; got != want {
		t.Errorf("Fingerprint() = %s, want %s", got, want)
	}
	merged := l.Merge(event.Labels{"service": "till", "zone": "b"})
	if merged["service"] != "till" || merged["zone"] != "b" || merged["code"] != `5"x` || l["service"] != "shop" || len(l) != 3 {
		t.Errorf("Merge made %s of %s", merged, l)
	}
	clone := l.Clone()
	clone["service"] = "other"
	if l["service"] != "shop" || event.Labels(nil).Clone() == nil {
		t.Error("Clone shares, or is nil")
	}
}

// Equal labels, and only those, have equal strings and fingerprints.
func TestLabelsIdentity(t *testing.T) {
	some := rapid.MapOfN(rapid.SampledFrom([]string{"", "a", "b", `a"`, "a=", "ab", "\xff"}),
		rapid.SampledFrom([]string{"", "x", `"`, `x", b="x`, "\xff", "�"}), 0, 3)
	rapid.Check(t, func(t *rapid.T) {
		a, b := event.Labels(some.Draw(t, "a")), event.Labels(some.Draw(t, "b"))
		same := len(a) == len(b)
		for k, v := range a {
			w, ok := b[k]
			same = same && ok && v == w
		}
		if (a.String() == b.String()) != same || (a.Fingerprint() == b.Fingerprint()) != same {
			t.Fatalf("%s (%s) and %s (%s)", a, a.Fingerprint(), b, b.Fingerprint())
		}
		if len(a.Fingerprint()) != 16 {
			t.Fatalf("fingerprint %q", a.Fingerprint())
		}
	})
}

func TestNewIDsRiseAcrossGoroutines(t *testing.T) {
	const n, each = 8, 2000
	var wg sync.WaitGroup
	lists := make([][]string, n)
	for i := range n {
		wg.Go(func() {
			for range each {
				lists[i] = append(lists[i], event.NewID())
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, list := range lists {
		last := ""
		for _, id := range list {
			if len(id) != 26 || id != strings.ToLower(id) || id <= last || seen[id] {
				t.Fatalf("%q after %q (seen before: %v)", id, last, seen[id])
			}
			last, seen[id] = id, true
		}
	}
}

func TestRange(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(int64(s), 0) }
	r := event.Range{From: at(10), To: at(20)}
	for s, want := range map[int]bool{9: false, 10: true, 19: true, 20: false} {
		if r.Contains(at(s)) != want {
			t.Errorf("Contains(%d) = %v", s, !want)
		}
	}
	if r.Duration() != 10*time.Second {
		t.Errorf("Duration() = %s", r.Duration())
	}
}

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for s, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "5m": 5 * time.Minute, "1d12h": 36 * time.Hour, "250ms": 250 * time.Millisecond,
		"1y2w3d4h5m6s7ms": 365*day + 17*day + 4*time.Hour + 5*time.Minute + 6*time.Second + 7*time.Millisecond,
		"292y":            292 * 365 * day,
	} {
		if got, err := event.ParseDuration(s); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %s, %v, want %s", s, got, err, want)
		}
	}
	for _, s := range []string{"", "5", "m", "5M", "-5m", "5m5m", "1s1m", "1.5h", "1 h", "300y", "99999999999999999999s", "5ms5s", "+1s", "1h "} {
		if got, err := event.ParseDuration(s); problem.CodeOf(err) != problem.Invalid {
			t.Errorf("ParseDuration(%q) = %s, %v", s, got, err)
		}
	}
}

func TestFormatDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": time.Microsecond, "1d12h": 36 * time.Hour, "2w": 14 * 24 * time.Hour, "15d": 15 * 24 * time.Hour, "1y": 365 * 24 * time.Hour,
		"-1m30s": -90 * time.Second, "250ms": 250 * time.Millisecond,
	} {
		if got := event.FormatDuration(d); got != want {
			t.Errorf("FormatDuration(%d) = %s, want %s", d, got, want)
		}
	}
}

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func TestParseTime(t *testing.T) {
	for s, want := range map[string]time.Time{
		"now":                       now,
		"now-1h30m":                 now.Add(-90 * time.Minute),
		"now-7d":                    now.AddDate(0, 0, -7),
		"now+5m":                    now.Add(5 * time.Minute),
		"2026-01-02T03:04:05Z":      time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		"2026-01-02T03:04:05+01:00": time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC),
		"2026-01-02T03:04:05.25Z":   time.Date(2026, 1, 2, 3, 4, 5, 250e6, time.UTC),
		"1700000000":                time.Unix(1700000000, 0),
		"1700000000.25":             time.Unix(1700000000, 250e6),
		"-1.5":                      time.Unix(-2, 500e6),
		"1.7e9":                     time.Unix(1700000000, 0),
	} {
		got, err := event.ParseTime(s, now)
		if err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("ParseTime(%q) = %s, %v, want %s", s, got, err, want)
		}
	}
	for _, s := range []string{"", "yesterday", "now-", "now1h", "now - 1h", "NaN", "Inf", "1e300", "2026-01-02", "now-292y-1y", "-99999999999999"} {
		if got, err := event.ParseTime(s, now); problem.CodeOf(err) != problem.Invalid {
			t.Errorf("ParseTime(%q) = %s, %v", s, got, err)
		}
	}
}

func FuzzParseTime(f *testing.F) {
	for _, s := range []string{"now", "now-1h30m", "1700000000.25", "2026-01-02T03:04:05.25+01:00", "-0", "9999-12-31T23:59:59-01:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := event.ParseTime(s, now)
		if err != nil {
			return
		}
		again, err := event.ParseTime(got.Format(time.RFC3339Nano), now)
		if err != nil || !again.Equal(got) {
			t.Fatalf("%q is %s, which is %s, %v", s, got, again, err)
		}
	})
}

func FuzzParseDuration(f *testing.F) {
	for _, s := range []string{"0", "1d12h", "250ms", "1y2w3d4h5m6s7ms", "5m5m", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := event.ParseDuration(s)
		if err != nil {
			return
		}
		again, err := event.ParseDuration(event.FormatDuration(d))
		if err != nil || again != d || d < 0 {
			t.Fatalf("%q is %s, written %s, read %s, %v", s, d, event.FormatDuration(d), again, err)
		}
	})
}
