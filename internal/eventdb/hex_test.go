package eventdb

import (
	"encoding/hex"
	"math/rand/v2"
	"strings"
	"testing"
)

// Lower-case hexadecimal digits are read as they were written, and nothing else is.
func TestHex(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for n := range 40 {
		raw := make([]byte, n)
		for i := range raw {
			raw[i] = byte(r.Uint32())
		}
		text := hexText(raw)
		if text != hex.EncodeToString(raw) {
			t.Fatalf("%x is written %s", raw, text)
		}
		if back, ok := parseHex([]byte("-"), text); !ok || string(back) != "-"+string(raw) {
			t.Fatalf("%s is read %x, %v", text, back, ok)
		}
	}
	for at := range 18 {
		for c := range 256 {
			text := []byte(strings.Repeat("7f", 9))
			text[at] = byte(c)
			if _, ok := parseHex(nil, string(text)); ok != strings.ContainsRune("0123456789abcdef", rune(c)) {
				t.Fatalf("%q: %v", text, ok)
			}
		}
	}
	if _, ok := parseHex(nil, "abc"); ok {
		t.Error("three digits are no bytes")
	}
}
