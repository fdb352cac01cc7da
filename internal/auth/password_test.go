package auth

import (
	"strings"
	"testing"
	"time"
)

// FuzzPasswordHash reads what a database may hold: parse, String, parse.
func FuzzPasswordHash(f *testing.F) {
	salt, key := strings.Repeat("A", 22), strings.Repeat("A", 43)
	f.Add("$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + key)
	f.Add("$argon2id$v=19$m=4294967296,t=2,p=1$" + salt + "$" + key)
	f.Add("$argon2id$v=19$m=19456,t=2,p=1,x=2$" + salt + "$" + key)
	f.Add("$argon2i$v=19$m=8,t=1,p=1$$")
	f.Add("$2a$10$abcdefghijklmnopqrstuv")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parseHash(s)
		if err != nil {
			return
		}
		if h.memory > 256<<10 || h.time > 16 || len(h.key) != argonKey {
			t.Fatalf("%q would cost %d KiB, %d passes", s, h.memory, h.time)
		}
		again, err := parseHash(h.String())
		if err != nil || again.String() != h.String() {
			t.Fatalf("%q → %q → %v", s, h, err)
		}
	})
}

func TestThrottleStaysSmall(t *testing.T) {
	th, now := newThrottle(), time.Unix(1e9, 0)
	for i := range 3 * maxMarks {
		if err := th.attempt(now, strings.Repeat("x", i%7)+time.Duration(i).String()); err != nil {
			t.Fatal(err)
		}
	}
	if len(th.marks) > maxMarks {
		t.Errorf("%d marks are kept, want at most %d", len(th.marks), maxMarks)
	}
}

func TestThrottleForgets(t *testing.T) {
	th, now := newThrottle(), time.Unix(1e9, 0)
	for range narrow.free {
		if err := th.attempt(now, "ada@home"); err != nil {
			t.Fatal(err)
		}
	}
	if th.attempt(now, "ada@home") == nil {
		t.Fatal("not slowed down")
	}
	if err := th.attempt(now.Add(forgotten), "ada@home"); err != nil {
		t.Errorf("after an hour of quiet: %v", err)
	}
	if got := th.marks["ada@home"].failures; got != 1 {
		t.Errorf("%d failures are remembered, want 1", got)
	}
	for failures, want := range map[int]time.Duration{0: 0, 4: 0, 5: time.Second, 6: 2 * time.Second, 14: 512 * time.Second, 15: 15 * time.Minute, 1 << 40: 15 * time.Minute} {
		if got := narrow.wait(failures); got != want {
			t.Errorf("after %d failures wait %s, want %s", failures, got, want)
		}
	}
}

func TestNetwork(t *testing.T) {
	for addr, want := range map[string]string{
		"192.0.2.1": "192.0.2.1", "::ffff:192.0.2.1": "192.0.2.1", "2001:db8:1:2:3::4": "2001:db8:1:2::/64",
		"fe80::1%eth0": "fe80::/64", "unix": "unix", "": "",
	} {
		if got := network(addr); got != want {
			t.Errorf("network of %q is %q, want %q", addr, got, want)
		}
	}
}
