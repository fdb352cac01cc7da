package event

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Labels name a thing by key and value, as Prometheus does. A nil map is empty.
type Labels map[string]string

// String is the canonical form, {a="b", c="d"}: sorted by name and quoted as Go
// and Prometheus quote, so that equal labels have equal strings and no others do.
func (l Labels) String() string {
	var b strings.Builder
	b.WriteByte('{')
	for i, name := range slices.Sorted(maps.Keys(l)) {
		if i > 0 {
			b.WriteString(", ")
		}
		if isLabelName(name) {
			b.WriteString(name)
		} else {
			b.WriteString(strconv.Quote(name))
		}
		b.WriteByte('=')
		b.WriteString(strconv.Quote(l[name]))
	}
	b.WriteByte('}')
	return b.String()
}

// isLabelName tells whether a name may stand unquoted: [a-zA-Z_][a-zA-Z0-9_]*.
func isLabelName(s string) bool {
	for i, c := range []byte(s) {
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// Fingerprint is 16 hexadecimal digits that depend on the labels alone, so they
// are the same in every process and release: the first 64 bits of a SHA-256.
func (l Labels) Fingerprint() string {
	h := sha256.New()
	write := func(s string) { // length first, so that no two maps write the same bytes
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(s)))
		h.Write(n[:])
		h.Write([]byte(s))
	}
	for _, name := range slices.Sorted(maps.Keys(l)) {
		write(name)
		write(l[name])
	}
	return hex.EncodeToString(h.Sum(nil)[:8])
}

// Clone returns a copy that shares nothing with l; it is never nil.
func (l Labels) Clone() Labels { return l.Merge(nil) }

// Merge returns a copy of l in which the labels of over win; neither is changed.
func (l Labels) Merge(over Labels) Labels {
	out := make(Labels, len(l)+len(over))
	maps.Copy(out, l)
	maps.Copy(out, over)
	return out
}
