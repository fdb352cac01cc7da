package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Argon2id with the parameters OWASP recommends; each hash records its own, so
// that they can be raised later.
const (
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
	argonKey     = 32
	argonSalt    = 16

	hashesAtOnce = 2 // bounds memory and the rate of guessing

	passwordMin = 8    // characters
	passwordMax = 1024 // bytes
)

// CheckPassword says whether a password is good enough for a user of that name.
func CheckPassword(name, password string) error {
	bad := func(format string, args ...any) error {
		return problem.New(problem.Invalid, format, args...).
			WithField("password").WithMend("choose at least %d characters that nobody guesses", passwordMin)
	}
	switch n := utf8.RuneCountInString(password); {
	case n < passwordMin:
		return bad("a password of %d characters is too short", n)
	case len(password) > passwordMax:
		return bad("the password is over %d bytes long", passwordMax)
	case strings.EqualFold(password, name):
		return bad("the password is the user's name")
	}
	return nil
}

// hashPassword makes the PHC string of a password.
func (a *Auth) hashPassword(ctx context.Context, password string) (string, error) {
	h := newHash()
	key, err := a.argon(ctx, password, h)
	if err != nil {
		return "", err
	}
	h.key = key
	return h.String(), nil
}

// verifyPassword compares in constant time. A hash it cannot read is an error:
// the database was tampered with, or is of a newer daytwo.
func (a *Auth) verifyPassword(ctx context.Context, phc, password string) (bool, error) {
	h, err := parseHash(phc)
	if err != nil {
		return false, err
	}
	key, err := a.argon(ctx, password, h)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(key, h.key) == 1, nil
}

// passwordHash is an argon2id hash with its parameters. Its String is the PHC
// string (github.com/P-H-C/phc-string-format).
type passwordHash struct {
	memory, time uint32 // KiB, passes
	threads      uint8
	salt, key    []byte
}

// newHash has today's parameters, and a random salt and key.
func newHash() passwordHash {
	h := passwordHash{argonMemory, argonTime, argonThreads, make([]byte, argonSalt), make([]byte, argonKey)}
	rand.Read(h.salt) // never fails, see crypto/rand
	rand.Read(h.key)
	return h
}

func (h passwordHash) String() string {
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.time, h.threads,
		b64.EncodeToString(h.salt), b64.EncodeToString(h.key))
}

var errHash = errors.New("the password hash is not one of argon2id within reason")

func parseHash(s string) (h passwordHash, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.time, &h.threads); err != nil {
		return h, errHash
	}
	b64 := base64.RawStdEncoding.Strict()
	h.salt, err = b64.DecodeString(parts[4])
	if err != nil {
		return h, errHash
	}
	h.key, err = b64.DecodeString(parts[5])
	if err != nil || len(h.key) != argonKey || len(h.salt) < 8 || h.memory < 8 || h.memory > 256<<10 || h.time < 1 || h.time > 16 || h.threads < 1 {
		return h, errHash
	}
	return h, nil
}

// argon waits for its turn: each hash takes 19 MiB and tens of milliseconds.
func (a *Auth) argon(ctx context.Context, password string, h passwordHash) ([]byte, error) {
	select {
	case a.hashing <- struct{}{}:
		defer func() { <-a.hashing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), h.salt, h.time, h.memory, h.threads, argonKey), nil
}
