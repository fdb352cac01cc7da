package auth

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/chacha20poly1305"

	"github.com/daytwo-dev/daytwo/internal/configfile"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

const (
	sealVersion = "v1."
	canary      = "daytwo"
)

// Seal encrypts a secret to be kept in the store (XChaCha20-Poly1305). Purpose
// says whose it is, "notify/smtp": it opens for the same purpose only.
func (a *Auth) Seal(purpose string, secret []byte) (string, error) {
	if a.key == nil {
		return "", noKey()
	}
	nonce := make([]byte, a.key.NonceSize(), a.key.NonceSize()+len(secret)+a.key.Overhead())
	rand.Read(nonce) // never fails, see crypto/rand
	box := a.key.Seal(nonce, nonce, secret, []byte(purpose))
	return sealVersion + base64.RawStdEncoding.EncodeToString(box), nil
}

// Open decrypts what Seal made for the same purpose.
func (a *Auth) Open(purpose, sealed string) ([]byte, error) {
	if a.key == nil {
		return nil, noKey()
	}
	box, err := base64.RawStdEncoding.DecodeString(strings.TrimPrefix(sealed, sealVersion))
	if err != nil || !strings.HasPrefix(sealed, sealVersion) || len(box) < a.key.NonceSize() {
		return nil, problem.New(problem.Conflict, "the secret for %s is damaged", purpose).WithMend("enter the secret again")
	}
	n := a.key.NonceSize()
	secret, err := a.key.Open(nil, box[:n], box[n:], []byte(purpose))
	if err != nil {
		return nil, problem.New(problem.Conflict, "the secret for %s does not open with this key", purpose).WithMend("enter the secret again")
	}
	return secret, nil
}

func noKey() error {
	return problem.New(problem.Unavailable, "no key to keep secrets with").WithMend("set a key file or DAYTWO_SECRET_KEY")
}

// openKey gets the key, and makes sure that it is the one the secrets in the
// store were sealed with.
func (a *Auth) openKey(ctx context.Context, c Config) error {
	if c.SecretKey == "" && c.KeyFile == "" {
		return nil
	}
	var sealed string
	err := a.db.Read(ctx, func(tx *store.Tx) error {
		return tx.QueryRow(ctx, `SELECT sealed FROM auth_key WHERE id = 1`).Scan(&sealed)
	})
	first := errors.Is(err, sql.ErrNoRows)
	if err != nil && !first {
		return fmt.Errorf("key of secrets: %w", err)
	}
	name, raw, err := readKey(c, first)
	if err != nil {
		return err
	}
	if a.key, err = chacha20poly1305.NewX(raw); err != nil {
		return fmt.Errorf("key of secrets: %w", err)
	}
	if !first {
		if _, err := a.Open("key", sealed); err != nil {
			return problem.New(problem.Conflict, "%s is not the key that the secrets in the database were sealed with", name).
				WithMend("put the key back that was used before (DAYTWO_SECRET_KEY or %s)", keyFileName(c))
		}
		return nil
	}
	if sealed, err = a.Seal("key", []byte(canary)); err != nil {
		return err
	}
	err = a.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO auth_key (id, sealed) VALUES (1, ?)`, sealed)
		return err
	})
	if err != nil {
		return fmt.Errorf("key of secrets: %w", err)
	}
	return nil
}

func keyFileName(c Config) string {
	if c.KeyFile == "" {
		return "the key file"
	}
	return c.KeyFile
}

// readKey reads the key from the configuration or its file; the file is made
// only as long as nothing was sealed with another one.
func readKey(c Config, first bool) (name string, key []byte, err error) {
	text := c.SecretKey
	name = "DAYTWO_SECRET_KEY"
	if text == "" {
		name = c.KeyFile
		b, err := configfile.Read(c.KeyFile)
		switch {
		case errors.Is(err, fs.ErrNotExist) && first:
			return makeKey(c.KeyFile)
		case errors.Is(err, fs.ErrNotExist):
			return "", nil, problem.New(problem.Conflict, "the key file %s is gone, and the database holds secrets sealed with it", c.KeyFile).
				WithMend("restore the file from a backup, or set DAYTWO_SECRET_KEY to what it held")
		case err != nil:
			return "", nil, problem.New(problem.Unavailable, "the key file cannot be read: %w", err).
				WithMend("make %s readable for the user daytwo runs as, and for nobody else", c.KeyFile)
		}
		text = strings.TrimSpace(string(b))
	}
	key, err = decodeKey(text)
	if err != nil {
		refused := problem.New(problem.Invalid, "%s is not a key: %w", name, err)
		if !first {
			return "", nil, refused.WithMend("restore the one that the secrets in the database are sealed with")
		}
		return "", nil, refused.WithMend("give 32 bytes in base64, for example of: head -c 32 /dev/urandom | base64")
	}
	return name, key, nil
}

func decodeKey(text string) ([]byte, error) {
	for _, enc := range []*base64.Encoding{base64.StdEncoding, base64.RawStdEncoding, base64.URLEncoding, base64.RawURLEncoding} {
		if key, err := enc.DecodeString(text); err == nil {
			if len(key) != chacha20poly1305.KeySize {
				return nil, fmt.Errorf("it has %d bytes instead of %d", len(key), chacha20poly1305.KeySize)
			}
			return key, nil
		}
	}
	return nil, errors.New("it is not base64")
}

// makeKey writes a new key so that it is whole or absent after a crash.
func makeKey(path string) (string, []byte, error) {
	key := make([]byte, chacha20poly1305.KeySize)
	rand.Read(key) // never fails, see crypto/rand
	fail := func(err error) (string, []byte, error) {
		return "", nil, problem.New(problem.Unavailable, "the key file cannot be written: %w", err).
			WithMend("make %s writable for the user daytwo runs as", filepath.Dir(path))
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".key-*") // mode 0600
	if err != nil {
		return fail(err)
	}
	defer os.Remove(f.Name()) // gone already after the rename
	_, err = fmt.Fprintln(f, base64.StdEncoding.EncodeToString(key))
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return fail(err)
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return fail(err)
	}
	return path, key, nil
}
