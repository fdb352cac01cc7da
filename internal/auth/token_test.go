package auth_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

// principal signs a new user in.
func principal(t *testing.T, a *auth.Auth, name string, role auth.Role) (auth.User, auth.Principal) {
	t.Helper()
	u := addUser(t, a, auth.NewUser{Name: name, Role: role, Password: "correct horse"})
	p, err := a.Session(t.Context(), signIn(t, a, name, "correct horse").Token)
	if err != nil {
		t.Fatal(err)
	}
	return u, p
}

func TestTokens(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, c := t.Context(), newClock()
		a := open(t, db, c)
		_, root := principal(t, a, "root", auth.Admin)
		ada, me := principal(t, a, "ada", auth.Operator)

		made, secret, err := a.CreateToken(ctx, me, auth.NewToken{Name: " ci deploys ", Role: auth.Operator, Expires: c.Now().Add(day)})
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(secret, "dt_") || len(secret) < 40 || made.Name != "ci deploys" || made.Owner != "ada" {
			t.Errorf("made %+v with a secret of %d", made, len(secret))
		}
		p, err := a.Bearer(ctx, secret)
		if err != nil || p.String() != "token:ci deploys" || p.Role != auth.Operator || p.Owner != ada.ID {
			t.Fatalf("comes in as %+v, %v", p, err)
		}
		a = open(t, db, c)
		if _, err := a.Bearer(ctx, secret); err != nil {
			t.Errorf("after a restart: %v", err)
		}

		// Its owner's role bounds it, at once.
		setRole := func(r auth.Role) {
			t.Helper()
			if _, err := a.UpdateUser(ctx, ada.ID, auth.UserChange{Role: &r}); err != nil {
				t.Fatal(err)
			}
		}
		setRole(auth.Viewer)
		if p, err := a.Bearer(ctx, secret); err != nil || p.Role != auth.Viewer {
			t.Errorf("role %s of a token whose owner is a viewer, %v", p.Role, err)
		}
		setRole(auth.Operator)

		// Who sees it.
		count := func(by auth.Principal) int {
			t.Helper()
			tokens, err := a.Tokens(ctx, by)
			if err != nil {
				t.Fatal(err)
			}
			return len(tokens)
		}
		_, other := principal(t, a, "grace", auth.Operator)
		env, err := a.Bearer(ctx, adminToken)
		if err != nil {
			t.Fatal(err)
		}
		if count(me) != 1 || count(root) != 1 || count(env) != 1 || count(other) != 0 || count(auth.Principal{}) != 0 {
			t.Errorf("seen by owner %d, admin %d, environment %d, others %d", count(me), count(root), count(env), count(other))
		}
		if tokens, _ := a.Tokens(ctx, me); !tokens[0].UsedAt.Equal(c.Now()) {
			t.Errorf("used at %s", tokens[0].UsedAt)
		}

		// The end: by time, by its owner being disabled, by revocation.
		c.pass(day)
		_, err = a.Bearer(ctx, secret)
		wantCode(t, "expired", err, problem.Unauthenticated)
		_, lasting, err := a.CreateToken(ctx, me, auth.NewToken{Name: "lasting"})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := a.UpdateUser(ctx, ada.ID, auth.UserChange{Disabled: new(true)}); err != nil {
			t.Fatal(err)
		}
		_, err = a.Bearer(ctx, lasting)
		wantCode(t, "of a disabled user", err, problem.Unauthenticated)
		_, err = a.RevokeToken(ctx, other, made.ID)
		wantCode(t, "revoked by somebody else", err, problem.NotFound)
		if _, err := a.RevokeToken(ctx, root, made.ID); err != nil {
			t.Errorf("revoked by an admin: %v", err)
		}
		_, err = a.RevokeToken(ctx, root, made.ID)
		wantCode(t, "revoked twice", err, problem.NotFound)
		_, err = a.Bearer(ctx, secret)
		wantCode(t, "revoked", err, problem.Unauthenticated)
		for _, invented := range []string{"", "dt_", "dt_x", "x", adminToken + "x", strings.ToUpper(secret)} {
			_, err := a.Bearer(ctx, invented)
			wantCode(t, "invented", err, problem.Unauthenticated)
		}
	})
}

// A token never gives more than its creator has.
func TestTokensAreNoLadder(t *testing.T) {
	ctx, c := t.Context(), newClock()
	a := open(t, storetest.New(t), c)
	by := map[auth.Role]auth.Principal{}
	for r := auth.Viewer; r <= auth.Admin; r++ {
		_, by[r] = principal(t, a, r.String(), r)
	}
	for creator, p := range by {
		for role := auth.Viewer; role <= auth.Admin; role++ {
			for _, scope := range auth.Scopes() {
				_, secret, err := a.CreateToken(ctx, p, auth.NewToken{Name: "x", Role: role, Scopes: []auth.Scope{scope}})
				if err != nil {
					if code := problem.CodeOf(err); code != problem.Forbidden {
						t.Errorf("%s makes %s %s: %v", creator, role, scope, err)
					}
					if role <= creator && scope == auth.ScopeAll {
						t.Errorf("%s may not make %s %s: %v", creator, role, scope, err)
					}
					continue
				}
				token, err := a.Bearer(ctx, secret)
				if err != nil {
					t.Fatal(err)
				}
				for need := auth.Viewer; need <= auth.Admin; need++ {
					if token.Allows(need) == nil && p.Allows(need) != nil {
						t.Errorf("%s made a %s token with %s that may do what needs %s", creator, role, scope, need)
					}
				}
				if token.AllowsIngest() == nil && p.AllowsIngest() != nil {
					t.Errorf("%s made a %s token with %s that may send data", creator, role, scope)
				}
			}
		}
	}
	_, secret, err := a.CreateToken(ctx, by[auth.Operator], auth.NewToken{Name: "x", Scopes: []auth.Scope{auth.ScopeOperate}})
	if err != nil {
		t.Fatal(err)
	}
	narrow, err := a.Bearer(ctx, secret)
	if err != nil || narrow.Allows(auth.Operator) != nil {
		t.Fatalf("the scope operate does not operate: %v", err)
	}
	_, _, err = a.CreateToken(ctx, narrow, auth.NewToken{Name: "y"})
	wantCode(t, "a narrow token makes a token", err, problem.Forbidden)
	_, err = a.RevokeToken(ctx, narrow, narrow.ID)
	wantCode(t, "a narrow token ends a token", err, problem.Forbidden)
	_, _, err = a.CreateToken(ctx, auth.Principal{}, auth.NewToken{Name: "y"})
	wantCode(t, "nobody makes a token", err, problem.Unauthenticated)
	if _, err := a.UpdateUser(ctx, by[auth.Operator].ID, auth.UserChange{Role: ptr(auth.Responder)}); err != nil {
		t.Fatal(err)
	}
	if narrow, err = a.Bearer(ctx, secret); err != nil || narrow.Allows(auth.Operator) == nil {
		t.Errorf("the scope operate outlives the role of its owner: %+v, %v", narrow, err)
	}
}

func TestTokenInput(t *testing.T) {
	c := newClock()
	a := open(t, storetest.New(t), c)
	for _, tt := range []struct {
		n     auth.NewToken
		field string
	}{
		{auth.NewToken{Name: " "}, "name"},
		{auth.NewToken{Name: strings.Repeat("x", 101)}, "name"},
		{auth.NewToken{Name: "x", Scopes: []auth.Scope{"write"}}, "scopes"},
		{auth.NewToken{Name: "x", Expires: c.Now()}, "expiresAt"},
	} {
		_, _, err := a.CreateToken(t.Context(), auth.System("test"), tt.n)
		wantCode(t, tt.field, err, problem.Invalid)
		if f := problem.From(err).Field; f != tt.field {
			t.Errorf("%+v: field %q, want %q", tt.n, f, tt.field)
		}
	}
}

func TestAllows(t *testing.T) {
	scopes := func(s ...auth.Scope) []auth.Scope { return s }
	user := func(r auth.Role) auth.Principal {
		return auth.Principal{Kind: auth.KindUser, Name: "ada", Role: r, Scopes: scopes(auth.ScopeAll)}
	}
	token := func(r auth.Role, s ...auth.Scope) auth.Principal {
		return auth.Principal{Kind: auth.KindToken, Name: "ci", Role: r, Scopes: s}
	}
	for _, tt := range []struct {
		p      auth.Principal
		most   auth.Role // that it may do; -1: nothing
		ingest bool
	}{
		{auth.Principal{}, -1, false},
		{auth.Principal{Kind: auth.KindAnonymous, Role: auth.Admin, Scopes: scopes(auth.ScopeAll)}, -1, false},
		{user(auth.Viewer), auth.Viewer, false},
		{user(auth.Responder), auth.Responder, true},
		{user(auth.Operator), auth.Operator, true},
		{user(auth.Admin), auth.Admin, true},
		{auth.System("loop"), auth.Admin, true},
		{token(auth.Admin), -1, false},
		{token(auth.Admin, auth.ScopeRead), auth.Viewer, false},
		{token(auth.Admin, auth.ScopeIngest), -1, true},
		{token(auth.Viewer, auth.ScopeIngest, auth.ScopeRead), auth.Viewer, true},
		{token(auth.Viewer, auth.ScopeOperate), auth.Operator, false},
		{token(auth.Admin, auth.ScopeOperate), auth.Operator, false},
		{token(auth.Admin, auth.ScopeRead, auth.ScopeAll), auth.Admin, true},
		{token(auth.Viewer, auth.ScopeAll), auth.Viewer, false},
		{token(auth.Admin, "unheard-of"), -1, false},
	} {
		for need := auth.Viewer; need <= auth.Admin; need++ {
			err := tt.p.Allows(need)
			if (err == nil) != (need <= tt.most) {
				t.Errorf("%s %s %v: needs %s: %v", tt.p, tt.p.Role, tt.p.Scopes, need, err)
			}
			if err != nil {
				want := problem.Forbidden
				if tt.p.Anonymous() {
					want = problem.Unauthenticated
				}
				wantCode(t, tt.p.String(), err, want)
				if !strings.Contains(err.Error(), need.String()) {
					t.Errorf("%q does not name the role %s", err, need)
				}
				if tt.most >= 0 && !strings.Contains(err.Error(), tt.most.String()) {
					t.Errorf("%q does not name the role had, %s", err, tt.most)
				}
			}
		}
		if err := tt.p.AllowsIngest(); (err == nil) != tt.ingest {
			t.Errorf("%s %v: ingest: %v", tt.p, tt.p.Scopes, err)
		}
	}
}

func TestRoleText(t *testing.T) {
	for r := auth.Viewer; r <= auth.Admin; r++ {
		b, err := r.MarshalText()
		var back auth.Role
		if err != nil || back.UnmarshalText(b) != nil || back != r {
			t.Errorf("%v → %s → %v", r, b, back)
		}
	}
	_, err := auth.ParseRole("root")
	wantCode(t, "role root", err, problem.Invalid)
	if !strings.Contains(auth.Role(9).String(), "9") {
		t.Errorf("role 9 is %s", auth.Role(9))
	}
}

func TestCalled(t *testing.T) {
	for actor, want := range map[string]string{"ada": "ada", "token:ci": "ci token", "system:alert rules": "alert rules", "daytwo": "daytwo"} {
		if got := auth.Called(actor); got != want {
			t.Errorf("%s is called %q, want %q", actor, got, want)
		}
	}
}

func TestContext(t *testing.T) {
	if p := auth.FromContext(t.Context()); !p.Anonymous() || p.String() != "anonymous" {
		t.Errorf("nobody is %s", p)
	}
	p := auth.FromContext(auth.WithPrincipal(t.Context(), auth.System("loop")))
	if p.String() != "system:loop" || !slices.Equal(p.Scopes, []auth.Scope{auth.ScopeAll}) {
		t.Errorf("the loop is %s", p)
	}
	if got := time.Hour * 24 * 30; auth.SessionLife != got {
		t.Errorf("a session lives %s", auth.SessionLife)
	}
}
