package auth

import (
	"context"
	"crypto/subtle"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

const (
	tokenPrefix = "dt_"
	usedEvery   = time.Minute // how often the use of a token is written down
)

// Token is an API token, without its secret.
type Token struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Owner     string    `json:"owner,omitempty" doc:"name of the user it acts for; absent: nobody's"`
	Role      Role      `json:"role"`
	Scopes    []Scope   `json:"scopes" enum:"*,read,ingest,operate"`
	CreatedAt time.Time `json:"createdAt"`
	ExpiresAt time.Time `json:"expiresAt,omitzero" doc:"absent: never"`
	UsedAt    time.Time `json:"usedAt,omitzero" doc:"to the minute; absent: never"`

	ownerID string
}

// NewToken is what a token is made of.
type NewToken struct {
	Name    string
	Role    Role
	Scopes  []Scope   // empty: all the role allows
	Expires time.Time // zero: never
}

// CreateToken makes a token that acts for its creator with at most the rights of
// the creator. The secret is not kept: this is the only time it is seen.
func (a *Auth) CreateToken(ctx context.Context, by Principal, n NewToken) (t Token, secret string, err error) {
	if len(n.Scopes) == 0 {
		n.Scopes = []Scope{ScopeAll}
	}
	if err := by.unscoped(); err != nil {
		return Token{}, "", err
	}
	if err := n.check(by, a.now()); err != nil {
		return Token{}, "", err
	}
	secret, hash := newSecret(tokenPrefix)
	t = Token{ID: event.NewID(), Name: n.Name, Role: n.Role, Scopes: n.Scopes, CreatedAt: a.now(), ExpiresAt: n.Expires.UTC(), ownerID: by.Owner}
	scopes := make([]string, len(t.Scopes))
	for i, s := range t.Scopes {
		scopes[i] = string(s)
	}
	err = a.db.Write(ctx, func(tx *store.Tx) error {
		if t.ownerID != "" {
			u, err := userByID(ctx, tx, t.ownerID)
			if err != nil {
				return err
			}
			t.Owner = u.Name
		}
		_, err := tx.Exec(ctx, `INSERT INTO auth_tokens (id, hash, name, owner_id, role, scopes, created_at, expires_at, used_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)`,
			t.ID, hash, t.Name, t.ownerID, t.Role.String(), strings.Join(scopes, " "), t.CreatedAt, n.Expires)
		return err
	})
	if err != nil {
		return Token{}, "", fmt.Errorf("create token: %w", err)
	}
	return t, secret, nil
}

func (n *NewToken) check(by Principal, now time.Time) error {
	n.Name = strings.TrimSpace(n.Name)
	if n.Name == "" || len(n.Name) > 100 {
		return problem.New(problem.Invalid, "a token needs a name of up to 100 bytes").
			WithField("name").WithMend("say what it is for, for example \"ci deploys\"")
	}
	for _, s := range n.Scopes {
		if !slices.Contains(Scopes(), s) {
			return problem.New(problem.Invalid, "there is no scope %q", s).
				WithField("scopes").WithMend("use some of %s", scopeList(Scopes()))
		}
	}
	if !n.Expires.IsZero() && !n.Expires.After(now) {
		return problem.New(problem.Invalid, "the token would expire in the past").
			WithField("expiresAt").WithMend("give a later time, or leave it out")
	}
	need := n.Role
	if slices.Contains(n.Scopes, ScopeOperate) {
		need = max(need, Operator)
	}
	if slices.Contains(n.Scopes, ScopeIngest) {
		if err := by.AllowsIngest(); err != nil {
			return err
		}
	}
	return by.Allows(need) // nobody hands out more than they have
}

// Tokens lists the tokens that p may see, newest first: the own ones, an admin
// all.
func (a *Auth) Tokens(ctx context.Context, p Principal) (tokens []Token, err error) {
	where, args := "", []any(nil)
	if p.Allows(Admin) != nil {
		where, args = "WHERE t.owner_id = ? AND t.owner_id <> ''", []any{p.Owner}
	}
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, tokenQuery+where+` ORDER BY t.id DESC`, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		tokens = nil
		for rows.Next() {
			t, _, err := scanToken(rows)
			if err != nil {
				return err
			}
			tokens = append(tokens, t)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return tokens, nil
}

// RevokeToken ends a token at once: one's own, or as an admin any.
func (a *Auth) RevokeToken(ctx context.Context, by Principal, id string) (t Token, err error) {
	if err := by.unscoped(); err != nil {
		return Token{}, err
	}
	err = a.db.Write(ctx, func(tx *store.Tx) error {
		t, _, err = scanToken(tx.QueryRow(ctx, tokenQuery+`WHERE t.id = ?`, id))
		own := t.ownerID != "" && t.ownerID == by.Owner
		if errors.Is(err, sql.ErrNoRows) || err == nil && !own && by.Allows(Admin) != nil {
			return notFound("token", id)
		}
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, `DELETE FROM auth_tokens WHERE id = ?`, id)
		return err
	})
	if err != nil {
		return Token{}, fmt.Errorf("revoke token: %w", err)
	}
	return t, nil
}

// Bearer finds who comes with an API token, or with the admin token of the
// environment. A token acts with its role, but never with more than its owner
// has now.
func (a *Auth) Bearer(ctx context.Context, secret string) (Principal, error) {
	hash := hashOf(secret)
	if a.admin != "" && subtle.ConstantTimeCompare([]byte(hash), []byte(a.admin)) == 1 {
		return Principal{Kind: KindToken, ID: "admin", Name: "admin", Role: Admin, Scopes: []Scope{ScopeAll}}, nil
	}
	unknown := problem.New(problem.Unauthenticated, "the API token is not valid").
		WithMend("make a new one under Settings, Tokens, or with daytwo token")
	if !strings.HasPrefix(secret, tokenPrefix) {
		return Principal{}, unknown
	}
	var t Token
	var owner User
	err := a.db.Read(ctx, func(tx *store.Tx) (err error) {
		if t, owner, err = scanToken(tx.QueryRow(ctx, tokenQuery+`WHERE t.hash = ?`, hash)); errors.Is(err, sql.ErrNoRows) {
			return unknown
		}
		return err
	})
	now := a.now()
	switch {
	case err != nil:
		return Principal{}, fmt.Errorf("token: %w", err)
	case !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt):
		return Principal{}, problem.New(problem.Unauthenticated, "the API token %s expired at %s", t.Name, t.ExpiresAt.Format(time.RFC3339)).
			WithMend("make a new one under Settings, Tokens, or with daytwo token")
	case owner.Disabled:
		return Principal{}, problem.New(problem.Unauthenticated, "the user of the API token %s is disabled", t.Name).
			WithMend("ask an admin")
	}
	if now.Sub(t.UsedAt) >= usedEvery {
		a.noteUse(ctx, t.ID, now)
	}
	p := Principal{Kind: KindToken, ID: t.ID, Name: t.Name, Role: t.Role, Scopes: t.Scopes, Owner: t.ownerID}
	if t.ownerID != "" {
		p.Role = min(p.Role, owner.Role)
		p.Scopes = slices.DeleteFunc(p.Scopes, func(s Scope) bool { // what the owner could not give today
			return s == ScopeOperate && owner.Role < Operator || s == ScopeIngest && owner.Role < Responder
		})
	}
	return p, nil
}

// noteUse writes down that a token is in use; see keepAlive.
func (a *Auth) noteUse(ctx context.Context, id string, now time.Time) {
	err := a.db.Write(ctx, func(tx *store.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE auth_tokens SET used_at = ? WHERE id = ?`, now, id)
		return err
	})
	if err != nil {
		a.log.WarnContext(ctx, "the use of a token was not written down", "token", id, "error", err)
	}
}

const tokenQuery = `SELECT t.id, t.name, t.owner_id, t.role, t.scopes, t.created_at, t.expires_at, t.used_at,
	COALESCE(u.name, ''), COALESCE(u.role, 'viewer'), COALESCE(u.disabled, 0)
	FROM auth_tokens t LEFT JOIN auth_users u ON u.id = t.owner_id `

func scanToken(row interface{ Scan(...any) error }) (t Token, owner User, err error) {
	var role, scopes, ownerRole string
	var created, expires, used int64
	if err := row.Scan(&t.ID, &t.Name, &t.ownerID, &role, &scopes, &created, &expires, &used, &owner.Name, &ownerRole, &owner.Disabled); err != nil {
		return Token{}, User{}, err
	}
	t.Owner = owner.Name
	t.CreatedAt, t.ExpiresAt, t.UsedAt = store.FromMicros(created), store.FromMicros(expires), store.FromMicros(used)
	for s := range strings.FieldsSeq(scopes) {
		t.Scopes = append(t.Scopes, Scope(s))
	}
	if t.Role, err = ParseRole(role); err != nil {
		return Token{}, User{}, err
	}
	owner.Role, err = ParseRole(ownerRole)
	return t, owner, err
}
