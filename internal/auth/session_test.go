package auth_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

const day = 24 * time.Hour

func TestSignIn(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, c := t.Context(), newClock()
		a := open(t, db, c)
		u := addUser(t, a, auth.NewUser{Name: "ada", Role: auth.Operator, Password: "correct horse"})
		addUser(t, a, auth.NewUser{Name: "nopass", Role: auth.Viewer})
		gone := addUser(t, a, auth.NewUser{Name: "gone", Role: auth.Viewer, Password: "correct horse"})
		if _, err := a.UpdateUser(ctx, gone.ID, auth.UserChange{Disabled: new(true)}); err != nil {
			t.Fatal(err)
		}

		s := signIn(t, a, " Ada ", "correct horse")
		p, err := a.Session(ctx, s.Token)
		if err != nil || p.Kind != auth.KindUser || p.ID != u.ID || p.Name != "ada" || p.Role != auth.Operator || p.ViaLink {
			t.Errorf("session of %+v, %v", p, err)
		}
		if !s.Expires.Equal(c.Now().Add(30 * day)) {
			t.Errorf("expires %s", s.Expires)
		}

		// Nothing tells why a sign-in was refused.
		var said string
		for _, tt := range []struct{ name, password string }{
			{"ada", "wrong horse"}, {"ada", ""}, {"ada", "correct horse" + strings.Repeat(" ", 2000)},
			{"nobody", "correct horse"}, {"", ""}, {"nopass", ""}, {"gone", "correct horse"},
		} {
			_, err := a.SignIn(ctx, tt.name, tt.password, home)
			wantCode(t, tt.name, err, problem.Unauthenticated)
			if p := problem.From(err); said == "" {
				said = p.Message + p.Mend
			} else if p.Message+p.Mend != said {
				t.Errorf("%s: says %q, elsewhere %q", tt.name, p.Message+p.Mend, said)
			}
		}
		entries, _, err := a.AuditLog(ctx, auth.AuditFilter{Action: "session.refuse"})
		if err != nil || len(entries) != 7 {
			t.Fatalf("%d refusals in the audit log, %v", len(entries), err)
		}
		if last := entries[6]; last.Target != "user/"+u.ID || last.Detail != "ada" || last.Address != home {
			t.Errorf("refusal %+v", last)
		}
	})
}

func TestSessionSlides(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, c := t.Context(), newClock()
		a := open(t, db, c)
		u := addUser(t, a, auth.NewUser{Name: "ada", Role: auth.Viewer, Password: "correct horse"})
		s := signIn(t, a, "ada", "correct horse")
		for range 5 {
			c.pass(29 * day)
			if _, err := a.Session(ctx, s.Token); err != nil {
				t.Fatalf("used within its life: %v", err)
			}
		}
		if u, err := a.User(ctx, u.ID); err != nil || !u.SeenAt.Equal(c.Now()) {
			t.Errorf("seen at %s, %v, want %s", u.SeenAt, err, c.Now())
		}
		c.pass(30 * day)
		_, err := a.Session(ctx, s.Token)
		wantCode(t, "not used for 30 days", err, problem.Unauthenticated)
	})
}

func TestSessionEnds(t *testing.T) {
	ctx := t.Context()
	a := open(t, storetest.New(t), newClock())
	addUser(t, a, auth.NewUser{Name: "root", Role: auth.Admin})
	u := addUser(t, a, auth.NewUser{Name: "ada", Role: auth.Admin, Password: "correct horse"})
	one, two := signIn(t, a, "ada", "correct horse"), signIn(t, a, "ada", "correct horse")
	if err := a.SignOut(ctx, one.Token); err != nil {
		t.Fatal(err)
	}
	if err := a.SignOut(ctx, one.Token); err != nil {
		t.Errorf("sign out twice: %v", err)
	}
	_, err := a.Session(ctx, one.Token)
	wantCode(t, "signed out", err, problem.Unauthenticated)

	// A lower role counts at once.
	if _, err := a.UpdateUser(ctx, u.ID, auth.UserChange{Role: ptr(auth.Viewer)}); err != nil {
		t.Fatal(err)
	}
	if p, err := a.Session(ctx, two.Token); err != nil || p.Role != auth.Viewer {
		t.Errorf("role %s, %v", p.Role, err)
	}
	if _, err := a.UpdateUser(ctx, u.ID, auth.UserChange{Disabled: new(true)}); err != nil {
		t.Fatal(err)
	}
	_, err = a.Session(ctx, two.Token)
	wantCode(t, "disabled", err, problem.Unauthenticated)
	if _, err := a.UpdateUser(ctx, u.ID, auth.UserChange{Disabled: ptr(false)}); err != nil {
		t.Fatal(err)
	}
	_, err = a.Session(ctx, two.Token)
	wantCode(t, "disabled and enabled again", err, problem.Unauthenticated)
	for _, token := range []string{"", "x", two.Token + "x"} {
		_, err := a.Session(ctx, token)
		wantCode(t, "an invented session", err, problem.Unauthenticated)
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	ctx, c := t.Context(), newClock()
	a := open(t, storetest.New(t), c)
	addUser(t, a, auth.NewUser{Name: "ada", Role: auth.Viewer, Password: "correct horse"})

	// Many at once gain nothing.
	var wg sync.WaitGroup
	errs := make([]error, 12)
	for i := range errs {
		wg.Go(func() { _, errs[i] = a.SignIn(ctx, "ada", "guess", "203.0.113.9") })
	}
	wg.Wait()
	looked := 0
	for _, err := range errs {
		if problem.CodeOf(err) == problem.Unauthenticated {
			looked++
			continue
		}
		wantCode(t, "a guess too many", err, problem.Exhausted)
	}
	if looked != 5 {
		t.Errorf("%d guesses were looked at, want 5", looked)
	}
	_, err := a.SignIn(ctx, "ada", "correct horse", "203.0.113.9")
	wantCode(t, "the right one, too early", err, problem.Exhausted)
	throttled, ok := errors.AsType[*auth.Throttled](err)
	if !ok || throttled.RetryAfter() != time.Second {
		t.Errorf("wait %v, want 1s", throttled)
	}

	signIn(t, a, "ada", "correct horse") // from home, where nobody guesses

	c.pass(time.Second)
	_, err = a.SignIn(ctx, "ada", "guess", "203.0.113.9")
	wantCode(t, "a guess after the wait", err, problem.Unauthenticated)
	_, err = a.SignIn(ctx, "ada", "guess", "203.0.113.9")
	if throttled, ok = errors.AsType[*auth.Throttled](err); !ok || throttled.Wait != 2*time.Second {
		t.Errorf("the wait does not grow: %v", err)
	}
	c.pass(2 * time.Second)
	if _, err := a.SignIn(ctx, "ada", "correct horse", "203.0.113.9"); err != nil {
		t.Errorf("the right one after the wait: %v", err)
	}
	if _, err := a.SignIn(ctx, "ada", "guess", "203.0.113.9"); problem.CodeOf(err) != problem.Unauthenticated {
		t.Errorf("success did not clear the failures: %v", err)
	}
}

func TestGuessingNamesIsSlowedDown(t *testing.T) {
	ctx := t.Context()
	a := open(t, storetest.New(t), newClock())
	var last error
	for i := range 21 { // each under another name, from the same /64
		from := "2001:db8::" + string(rune('a'+i%6))
		_, last = a.SignIn(ctx, "user"+string(rune('a'+i)), "guess", from)
		if i < 20 {
			wantCode(t, "a guess", last, problem.Unauthenticated)
		}
	}
	wantCode(t, "guess 21", last, problem.Exhausted)
}
