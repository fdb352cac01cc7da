package catalog

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/hex"
	"strings"
)

// idOf is the id of what a file declares: it follows from its kind and name, so that it is the same on every start and machine.
// PagerDuty's clients take it for one of theirs.
func idOf(kind Kind, name ...string) string {
	sum := sha256.Sum256([]byte(string(kind) + "\x00" + strings.Join(name, "\x00")))
	return "P" + base32.StdEncoding.EncodeToString(sum[:10])[:13]
}

// newID is the id of an entry made through the API.
func newID() string {
	var b [10]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	return "P" + base32.StdEncoding.EncodeToString(b[:])[:13]
}

// newKey is a key for events: 32 characters, as PagerDuty's clients expect.
func newKey() string {
	var b [16]byte
	rand.Read(b[:])
	return hex.EncodeToString(b[:])
}
