// Package auth knows who acts and what they may do: users with passwords and
// one-time links, sessions, API tokens, roles and scopes, the audit log, and the
// sealing of secrets at rest. Its HTTP routes are in package web.
package auth

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"encoding/hex"
	"io/fs"
	"log/slog"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

//go:embed migrations/*.sql
var migrations embed.FS

// Config is what an Auth is made of.
type Config struct {
	DB         *store.DB        // required
	AdminToken string           // a bearer token with every right, from the environment; empty: none
	KeyFile    string           // holds the key that seals secrets; made on first start
	SecretKey  string           // that key itself, 32 bytes in base64, instead of a file
	Now        func() time.Time // nil: time.Now
	Logger     *slog.Logger     // nil discards
}

// Auth answers who may do what. Its methods may be called from any goroutine.
type Auth struct {
	db       *store.DB
	now      func() time.Time
	log      *slog.Logger
	admin    string // hash of the admin token; empty: none
	key      cipher.AEAD
	throttle *throttle
	hashing  chan struct{} // bounds how many passwords are hashed at once
	decoy    string        // a password hash that no password has
}

// New migrates the tables and opens the key that seals secrets.
func New(ctx context.Context, c Config) (*Auth, error) {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	if err := c.DB.Migrate(ctx, "auth", files); err != nil {
		return nil, err
	}
	a := &Auth{
		db:       c.DB,
		now:      func() time.Time { return c.Now().UTC() },
		log:      c.Logger,
		throttle: newThrottle(),
		hashing:  make(chan struct{}, hashesAtOnce),
		decoy:    newHash().String(),
	}
	if c.AdminToken != "" {
		a.admin = hashOf(c.AdminToken)
		if len(c.AdminToken) < 16 {
			a.log.Warn("the admin token is short enough to be guessed; give one of at least 16 characters")
		}
	}
	if err := a.openKey(ctx, c); err != nil {
		return nil, err
	}
	return a, nil
}

// Bootstrap makes the first admin, and a one-time link to sign in as such. The
// link is a path to append to the public URL. Once an admin has signed in it
// answers an empty link; until then each start makes a new one, since the one
// before may have been lost.
func (a *Auth) Bootstrap(ctx context.Context) (link string, created bool, err error) {
	var id string
	err = a.db.Write(ctx, func(tx *store.Tx) error {
		id, created = "", false
		users, err := queryUsers(ctx, tx, "")
		if err != nil {
			return err
		}
		for _, u := range users {
			if u.Role != Admin || u.Disabled {
				continue
			}
			if !u.SeenAt.IsZero() {
				id = ""
				return nil
			}
			if id == "" {
				id = u.ID
			}
		}
		if len(users) > 0 {
			return nil
		}
		u, err := a.insertUser(ctx, tx, NewUser{Name: "admin", Role: Admin})
		if err != nil {
			return err
		}
		id, created = u.ID, true
		return a.Audit(ctx, tx, Entry{Actor: System("start").String(), Action: "user.create", Target: "user/" + u.ID, Detail: "the first admin"})
	})
	if err != nil || id == "" {
		return "", false, err
	}
	link, err = a.OneTimeLink(ctx, id)
	return link, created, err
}

// newSecret returns 256 random bits to hand out, and the hash to keep.
func newSecret(prefix string) (secret, hash string) {
	var b [32]byte
	rand.Read(b[:]) // never fails, see crypto/rand
	secret = prefix + base64.RawURLEncoding.EncodeToString(b[:])
	return secret, hashOf(secret)
}

// hashOf is how secrets of 256 random bits are kept: they need no slow hash.
func hashOf(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

func notFound(what, id string) error {
	return problem.New(problem.NotFound, "there is no %s %q", what, id)
}
