package auth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// SessionLife is how long a session lives since it was last used.
const SessionLife = 30 * 24 * time.Hour

const (
	linkLife  = time.Hour
	linkGrace = time.Hour // how long after coming by a link a password can be set without the one before
	seenEvery = time.Hour // how often the use of a session is written down
)

// Session is a successful sign-in. Token is the value of the cookie; only its
// hash is kept.
type Session struct {
	Token   string
	User    User
	Expires time.Time
}

// SignIn opens a session by name and password. From is the address it comes
// from: failures slow down whoever repeats them, see throttle.
func (a *Auth) SignIn(ctx context.Context, name, password, from string) (Session, error) {
	name = strings.ToLower(strings.TrimSpace(name))
	var u User
	err := a.db.Read(ctx, func(tx *store.Tx) (err error) {
		u, err = scanUser(tx.QueryRow(ctx, `SELECT `+userColumns+` FROM auth_users WHERE name = ?`, name))
		if errors.Is(err, sql.ErrNoRows) {
			u, err = User{}, nil
		}
		return err
	})
	if err != nil {
		return Session{}, fmt.Errorf("sign in: %w", err)
	}
	ok, err := a.tryPassword(ctx, u, name+"@"+network(from), password, "from "+network(from))
	if err != nil {
		return Session{}, err
	}
	if !ok {
		a.noteFailure(ctx, u, from)
		return Session{}, problem.New(problem.Unauthenticated, "the name or the password is not right").
			WithMend("correct them, or ask an admin for a one-time link")
	}
	return a.openSession(ctx, u, false)
}

// tryPassword checks the password of an enabled user, slowly for everybody,
// and counts the attempt against each key.
func (a *Auth) tryPassword(ctx context.Context, u User, key, password string, wider ...string) (bool, error) {
	if err := a.throttle.attempt(a.now(), key, wider...); err != nil {
		return false, err
	}
	hash, known := u.password, u.password != "" && !u.Disabled && len(password) <= passwordMax
	if !known {
		hash, password = a.decoy, "" // takes as long, so that nobody learns which names exist
	}
	ok, err := a.verifyPassword(ctx, hash, password)
	if err != nil {
		return false, fmt.Errorf("sign in: %w", err)
	}
	if ok && known {
		a.throttle.succeeded(key, wider...)
		return true, nil
	}
	return false, nil
}

// noteFailure puts a refused sign-in in the audit log. A name that is nobody's is
// left out: people type their password there.
func (a *Auth) noteFailure(ctx context.Context, u User, from string) {
	target := "user/" + u.ID
	if u.ID == "" {
		target = "nobody"
	}
	if err := a.AuditNow(ctx, Entry{Actor: KindAnonymous, Action: "session.refuse", Target: target, Detail: u.Name, Address: from}); err != nil {
		a.log.WarnContext(ctx, "a refused sign-in is missing in the audit log", "target", target, "error", err)
	}
}

// OneTimeLink makes a link that signs the user in once, within the hour. It is
// a path to append to the public URL.
func (a *Auth) OneTimeLink(ctx context.Context, userID string) (string, error) {
	secret, hash := newSecret("")
	err := a.db.Write(ctx, func(tx *store.Tx) error {
		u, err := userByID(ctx, tx, userID)
		if err != nil {
			return err
		}
		if u.Disabled {
			return problem.New(problem.Conflict, "the user %s is disabled", u.Name).WithMend("enable the user first")
		}
		if _, err := tx.Exec(ctx, `DELETE FROM auth_links WHERE expires_at <= ?`, a.now()); err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `INSERT INTO auth_links (hash, user_id, expires_at) VALUES (?, ?, ?)`, hash, userID, a.now().Add(linkLife))
		return err
	})
	if err != nil {
		return "", fmt.Errorf("one-time link: %w", err)
	}
	return "/sign-in?token=" + secret, nil
}

// Redeem opens a session by the token of a one-time link, which is used up.
func (a *Auth) Redeem(ctx context.Context, oneTimeToken string) (Session, error) {
	var u User
	err := a.db.Write(ctx, func(tx *store.Tx) error {
		var id string
		err := tx.QueryRow(ctx, `DELETE FROM auth_links WHERE hash = ? AND expires_at > ? RETURNING user_id`, hashOf(oneTimeToken), a.now()).Scan(&id)
		if err == nil {
			u, err = userByID(ctx, tx, id)
		}
		if errors.Is(err, sql.ErrNoRows) || problem.CodeOf(err) == problem.NotFound || err == nil && u.Disabled {
			return problem.New(problem.Unauthenticated, "the link has been used or is too old").
				WithMend("sign in with your password, or ask an admin for a new link")
		}
		return err
	})
	if err != nil {
		return Session{}, fmt.Errorf("redeem the link: %w", err)
	}
	return a.openSession(ctx, u, true)
}

func (a *Auth) openSession(ctx context.Context, u User, viaLink bool) (Session, error) {
	secret, hash := newSecret("")
	now := a.now()
	s := Session{Token: secret, User: u, Expires: now.Add(SessionLife)}
	err := a.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `DELETE FROM auth_sessions WHERE expires_at <= ?`, now); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE auth_users SET seen_at = ? WHERE id = ?`, now, u.ID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `INSERT INTO auth_sessions (hash, user_id, via_link, created_at, seen_at, expires_at) VALUES (?, ?, ?, ?, ?, ?)`,
			hash, u.ID, viaLink, now, now, s.Expires)
		return err
	})
	if err != nil {
		return Session{}, fmt.Errorf("open session: %w", err)
	}
	s.User.SeenAt = now
	return s, nil
}

// Session finds whose session a cookie names, and keeps it alive.
func (a *Auth) Session(ctx context.Context, token string) (Principal, error) {
	hash := hashOf(token)
	var u User
	var viaLink bool
	var created, seen, expires int64
	now := a.now()
	err := a.db.Read(ctx, func(tx *store.Tx) error {
		var id string
		err := tx.QueryRow(ctx, `SELECT user_id, via_link, created_at, seen_at, expires_at FROM auth_sessions WHERE hash = ?`, hash).
			Scan(&id, &viaLink, &created, &seen, &expires)
		if err != nil {
			return err
		}
		u, err = userByID(ctx, tx, id)
		return err
	})
	switch {
	case errors.Is(err, sql.ErrNoRows) || problem.CodeOf(err) == problem.NotFound,
		err == nil && (u.Disabled || !now.Before(store.FromMicros(expires))):
		return Principal{}, problem.New(problem.Unauthenticated, "the session has ended").WithMend("sign in again")
	case err != nil:
		return Principal{}, fmt.Errorf("session: %w", err)
	}
	if now.Sub(store.FromMicros(seen)) >= seenEvery {
		a.keepAlive(ctx, hash, u.ID, now)
	}
	return Principal{Kind: KindUser, ID: u.ID, Name: u.Name, Role: u.Role, Scopes: []Scope{ScopeAll},
		Owner: u.ID, Session: hash, ViaLink: viaLink && now.Sub(store.FromMicros(created)) < linkGrace}, nil
}

// keepAlive writes down that a session is in use. A store that cannot be written
// must not keep anybody from looking at what is wrong.
func (a *Auth) keepAlive(ctx context.Context, hash, userID string, now time.Time) {
	err := a.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE auth_users SET seen_at = ? WHERE id = ?`, now, userID); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE auth_sessions SET seen_at = ?, expires_at = ? WHERE hash = ?`, now, now.Add(SessionLife), hash)
		return err
	})
	if err != nil {
		a.log.WarnContext(ctx, "the use of a session was not written down", "error", err)
	}
}

// SignOut ends the session; one that has ended is no error.
func (a *Auth) SignOut(ctx context.Context, token string) error {
	err := a.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `DELETE FROM auth_sessions WHERE hash = ?`, hashOf(token))
		return err
	})
	if err != nil {
		return fmt.Errorf("sign out: %w", err)
	}
	return nil
}

// endSessions ends the sessions of a user, except one.
func endSessions(ctx context.Context, tx *store.Tx, userID, except string) error {
	_, err := tx.Exec(ctx, `DELETE FROM auth_sessions WHERE user_id = ? AND hash <> ?`, userID, except)
	return err
}
