package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
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
	salt := make([]byte, argonSalt)
	rand.Read(salt) // never fails, see crypto/rand
	key, err := a.argon(ctx, password, salt, argonTime, argonMemory, argonThreads)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads,
		b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// verifyPassword compares in constant time. A PHC string it cannot read is an
// error: the database was tampered with or is of a newer daytwo.
func (a *Auth) verifyPassword(ctx context.Context, phc, password string) (bool, error) {
	var version, memory, rounds int
	var threads uint8
	parts := strings.Split(phc, "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, fmt.Errorf("password hash is not argon2id")
	}
	if _, err := fmt.Sscanf(parts[2]+" "+parts[3], "v=%d m=%d,t=%d,p=%d", &version, &memory, &rounds, &threads); err != nil {
		return false, fmt.Errorf("password hash: %w", err)
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, fmt.Errorf("password hash: %w", err)
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil {
		return false, fmt.Errorf("password hash: %w", err)
	}
	if version != argon2.Version || memory < 8 || memory > 1<<20 || rounds < 1 || rounds > 16 || threads < 1 || len(want) != argonKey {
		return false, fmt.Errorf("password hash has parameters out of range")
	}
	got, err := a.argon(ctx, password, salt, uint32(rounds), uint32(memory), threads)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// argon waits for its turn: each hash takes 19 MiB and tens of milliseconds.
func (a *Auth) argon(ctx context.Context, password string, salt []byte, rounds, memory uint32, threads uint8) ([]byte, error) {
	select {
	case a.hashing <- struct{}{}:
		defer func() { <-a.hashing }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	return argon2.IDKey([]byte(password), salt, rounds, memory, threads, argonKey), nil
}
