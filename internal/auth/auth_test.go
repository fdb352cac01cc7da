package auth_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

const (
	adminToken = "the admin token of these tests"
	home       = "192.0.2.1"
)

// clock is a clock that stands still until told.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func open(t *testing.T, db *store.DB, c *clock) *auth.Auth {
	t.Helper()
	a, err := auth.New(t.Context(), auth.Config{DB: db, AdminToken: adminToken, Now: c.Now})
	if err != nil {
		t.Fatalf("open auth: %v", err)
	}
	return a
}

func addUser(t *testing.T, a *auth.Auth, n auth.NewUser) auth.User {
	t.Helper()
	u, err := a.CreateUser(t.Context(), n)
	if err != nil {
		t.Fatalf("add user %s: %v", n.Name, err)
	}
	return u
}

func signIn(t *testing.T, a *auth.Auth, name, password string) auth.Session {
	t.Helper()
	s, err := a.SignIn(t.Context(), name, password, home)
	if err != nil {
		t.Fatalf("sign in as %s: %v", name, err)
	}
	return s
}

func wantCode(t *testing.T, what string, err error, want problem.Code) {
	t.Helper()
	if got := problem.CodeOf(err); got != want {
		t.Errorf("%s: code %q, want %q (%v)", what, got, want, err)
	}
	if want == problem.Internal || want == "" {
		return
	}
	if p := problem.From(err); p.Mend == "" && want != problem.NotFound {
		t.Errorf("%s: %q says not what to do", what, p.Message)
	}
}

func tokenOf(t *testing.T, link string) string {
	t.Helper()
	token, ok := strings.CutPrefix(link, "/sign-in?token=")
	if !ok || len(token) < 43 {
		t.Fatalf("link %q", link)
	}
	return token
}

func TestFirstStart(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, c := t.Context(), newClock()
		a := open(t, db, c)
		first, created, err := a.Bootstrap(ctx)
		if err != nil || !created {
			t.Fatalf("first start: created %t, %v", created, err)
		}
		// The link was lost before anybody used it: the next start makes another.
		a = open(t, db, c)
		second, created, err := a.Bootstrap(ctx)
		if err != nil || created || second == "" || second == first {
			t.Fatalf("second start: %q, created %t, %v", second, created, err)
		}
		s, err := a.Redeem(ctx, tokenOf(t, second))
		if err != nil {
			t.Fatal(err)
		}
		p, err := a.Session(ctx, s.Token)
		if err != nil || p.Name != "admin" || p.Role != auth.Admin || !p.ViaLink {
			t.Fatalf("session is of %+v, %v", p, err)
		}
		// An admin has signed in: later starts leave it alone.
		a = open(t, db, c)
		link, created, err := a.Bootstrap(ctx)
		if err != nil || created || link != "" {
			t.Fatalf("third start: %q, created %t, %v", link, created, err)
		}
		if _, err := a.Session(ctx, s.Token); err != nil {
			t.Errorf("the session did not outlive a restart: %v", err)
		}
		users, err := a.Users(ctx)
		if err != nil || len(users) != 1 {
			t.Errorf("%d users, %v", len(users), err)
		}
	})
}

func TestOneTimeLinkIsUsedOnce(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		a := open(t, db, newClock())
		link, _, err := a.Bootstrap(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		const guests = 20
		errs := make([]error, guests)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { _, errs[i] = a.Redeem(t.Context(), tokenOf(t, link)) })
		}
		wg.Wait()
		in := 0
		for _, err := range errs {
			if err == nil {
				in++
				continue
			}
			wantCode(t, "a used link", err, problem.Unauthenticated)
		}
		if in != 1 {
			t.Errorf("%d of %d got in by one link", in, guests)
		}
	})
}

func TestOneTimeLinkEnds(t *testing.T) {
	ctx, c := t.Context(), newClock()
	a := open(t, storetest.New(t), c)
	u := addUser(t, a, auth.NewUser{Name: "ada", Role: auth.Viewer})
	link := func() string {
		t.Helper()
		l, err := a.OneTimeLink(ctx, u.ID)
		if err != nil {
			t.Fatal(err)
		}
		return tokenOf(t, l)
	}

	old := link()
	c.pass(time.Hour)
	_, err := a.Redeem(ctx, old)
	wantCode(t, "an old link", err, problem.Unauthenticated)

	beforePassword := link()
	if err := a.SetPassword(ctx, auth.System("test"), u.ID, "", "correct horse"); err != nil {
		t.Fatal(err)
	}
	_, err = a.Redeem(ctx, beforePassword)
	wantCode(t, "a link from before the password was set", err, problem.Unauthenticated)

	beforeDisabled := link()
	if _, err := a.UpdateUser(ctx, u.ID, auth.UserChange{Disabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	_, err = a.Redeem(ctx, beforeDisabled)
	wantCode(t, "the link of a disabled user", err, problem.Unauthenticated)
	_, err = a.OneTimeLink(ctx, u.ID)
	wantCode(t, "a link for a disabled user", err, problem.Conflict)
	_, err = a.OneTimeLink(ctx, "nobody")
	wantCode(t, "a link for nobody", err, problem.NotFound)
	_, err = a.Redeem(ctx, "")
	wantCode(t, "an empty link", err, problem.Unauthenticated)
}

func TestDataOfANewerVersionIsRefused(t *testing.T) {
	db := storetest.New(t)
	open(t, db, newClock())
	err := db.Write(t.Context(), func(tx *store.Tx) error {
		_, err := tx.Exec(t.Context(), `INSERT INTO auth_migrations (version_id, is_applied) VALUES (9999, 1)`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = auth.New(t.Context(), auth.Config{DB: db})
	wantCode(t, "newer data", err, problem.Conflict)
}

func TestAuditLog(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, c := t.Context(), newClock()
		a := open(t, db, c)
		for _, e := range []auth.Entry{
			{Actor: "ada", Action: "user.create", Target: "user/1"},
			{Actor: "grace", Action: "user.create", Target: "user/2"},
			{Actor: "ada", Action: "token.create", Target: "token/1", Detail: `name="ci"`, Address: home, Request: "r1"},
		} {
			if err := a.AuditNow(ctx, e); err != nil {
				t.Fatal(err)
			}
			c.pass(time.Minute)
		}
		undone := db.Write(ctx, func(tx *store.Tx) error {
			if err := a.Audit(ctx, tx, auth.Entry{Actor: "ada", Action: "undone"}); err != nil {
				return err
			}
			return context.Canceled
		})
		if undone == nil {
			t.Fatal("the write was not undone")
		}

		targets := func(f auth.AuditFilter) (string, string) {
			t.Helper()
			entries, next, err := a.AuditLog(ctx, f)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range entries {
				got = append(got, e.Target)
			}
			return strings.Join(got, " "), next
		}
		start := newClock().now
		for _, tt := range []struct {
			name string
			f    auth.AuditFilter
			want string
		}{
			{"all", auth.AuditFilter{}, "token/1 user/2 user/1"},
			{"actor", auth.AuditFilter{Actor: "ada"}, "token/1 user/1"},
			{"action", auth.AuditFilter{Action: "user.create"}, "user/2 user/1"},
			{"target", auth.AuditFilter{Target: "user/2"}, "user/2"},
			{"since", auth.AuditFilter{Range: rangeOf(start.Add(time.Minute), time.Time{})}, "token/1 user/2"},
			{"until", auth.AuditFilter{Range: rangeOf(time.Time{}, start.Add(time.Minute))}, "user/1"},
			{"nobody", auth.AuditFilter{Actor: "x' OR 1=1 --"}, ""},
		} {
			if got, next := targets(tt.f); got != tt.want || next != "" {
				t.Errorf("%s: %q next %q, want %q", tt.name, got, next, tt.want)
			}
		}
		got, next := targets(auth.AuditFilter{Limit: 2})
		if got != "token/1 user/2" || next == "" {
			t.Fatalf("first part: %q next %q", got, next)
		}
		if got, next = targets(auth.AuditFilter{Limit: 2, Before: next}); got != "user/1" || next != "" {
			t.Errorf("second part: %q next %q", got, next)
		}
		entries, _, err := a.AuditLog(ctx, auth.AuditFilter{Limit: 1})
		if err != nil {
			t.Fatal(err)
		}
		want := auth.Entry{ID: entries[0].ID, Time: start.Add(2 * time.Minute), Actor: "ada", Action: "token.create",
			Target: "token/1", Detail: `name="ci"`, Address: home, Request: "r1"}
		if entries[0] != want || want.ID == "" {
			t.Errorf("entry %+v, want %+v", entries[0], want)
		}
	})
}
