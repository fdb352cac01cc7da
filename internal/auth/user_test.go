package auth_test

import (
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

func rangeOf(from, to time.Time) event.Range { return event.Range{From: from, To: to} }

func ptr[T any](v T) *T { return &v }

func TestUsers(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, c := t.Context(), newClock()
		a := open(t, db, c)
		ada := addUser(t, a, auth.NewUser{Name: " Ada ", Email: "ada@example.com", Role: auth.Admin, Password: "correct horse"})
		grace := addUser(t, a, auth.NewUser{Name: "grace", Role: auth.Viewer})
		if ada.Name != "ada" || !ada.HasPassword || grace.HasPassword {
			t.Errorf("users %+v %+v", ada, grace)
		}
		_, err := a.CreateUser(ctx, auth.NewUser{Name: "ADA"})
		wantCode(t, "a second ada", err, problem.Conflict)

		changed, err := a.UpdateUser(ctx, grace.ID, auth.UserChange{Role: ptr(auth.Operator), Email: ptr("grace@example.com")})
		if err != nil || changed.Role != auth.Operator || changed.Email != "grace@example.com" || changed.Disabled {
			t.Errorf("changed to %+v, %v", changed, err)
		}
		a = open(t, db, c)
		kept, err := a.User(ctx, grace.ID)
		if err != nil || kept != changed {
			t.Errorf("after a restart %+v, %v, want %+v", kept, err, changed)
		}
		users, err := a.Users(ctx)
		if err != nil || len(users) != 2 || users[0].Name != "ada" || users[1].Name != "grace" {
			t.Errorf("users %+v, %v", users, err)
		}

		_, err = a.UpdateUser(ctx, ada.ID, auth.UserChange{Role: ptr(auth.Operator)})
		wantCode(t, "the last admin steps down", err, problem.Conflict)
		_, err = a.UpdateUser(ctx, ada.ID, auth.UserChange{Disabled: new(true)})
		wantCode(t, "the last admin is disabled", err, problem.Conflict)
		if _, err := a.UpdateUser(ctx, grace.ID, auth.UserChange{Role: ptr(auth.Admin)}); err != nil {
			t.Fatal(err)
		}
		if _, err = a.UpdateUser(ctx, ada.ID, auth.UserChange{Disabled: new(true)}); err != nil {
			t.Errorf("one of two admins is disabled: %v", err)
		}
		_, err = a.User(ctx, "nobody")
		wantCode(t, "nobody", err, problem.NotFound)
		_, err = a.UpdateUser(ctx, "nobody", auth.UserChange{})
		wantCode(t, "nobody changed", err, problem.NotFound)
	})
}

func TestUserInput(t *testing.T) {
	a := open(t, storetest.New(t), newClock())
	for _, tt := range []struct {
		n     auth.NewUser
		field string
	}{
		{auth.NewUser{Name: ""}, "name"},
		{auth.NewUser{Name: "-x"}, "name"},
		{auth.NewUser{Name: "a b"}, "name"},
		{auth.NewUser{Name: "ä"}, "name"},
		{auth.NewUser{Name: strings.Repeat("a", 65)}, "name"},
		{auth.NewUser{Name: "ada", Email: "ada"}, "email"},
		{auth.NewUser{Name: "ada", Email: "Ada <ada@example.com>"}, "email"},
		{auth.NewUser{Name: "ada", Email: "ada@example.com\r\nBcc: x@example.com"}, "email"},
		{auth.NewUser{Name: "ada", Password: "seven77"}, "password"},
		{auth.NewUser{Name: "adalovelace", Password: "AdaLovelace"}, "password"},
		{auth.NewUser{Name: "ada", Password: strings.Repeat("x", 1025)}, "password"},
	} {
		_, err := a.CreateUser(t.Context(), tt.n)
		wantCode(t, tt.n.Name, err, problem.Invalid)
		if f := problem.From(err).Field; f != tt.field {
			t.Errorf("%+v: field %q, want %q", tt.n, f, tt.field)
		}
	}
}

func TestSetPassword(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx := t.Context()
		clock := newClock()
		a := open(t, db, clock)
		ada := addUser(t, a, auth.NewUser{Name: "ada", Role: auth.Viewer, Password: "the first one"})
		grace := addUser(t, a, auth.NewUser{Name: "grace", Role: auth.Admin, Password: "not guessed"})
		session := func(s auth.Session) auth.Principal {
			t.Helper()
			p, err := a.Session(ctx, s.Token)
			if err != nil {
				t.Fatal(err)
			}
			return p
		}
		here, there := signIn(t, a, "ada", "the first one"), signIn(t, a, "ada", "the first one")
		me, admin := session(here), session(signIn(t, a, "grace", "not guessed"))

		wantCode(t, "without the current one", a.SetPassword(ctx, me, ada.ID, "", "the second one"), problem.Forbidden)
		wantCode(t, "of somebody else", a.SetPassword(ctx, me, grace.ID, "not guessed", "the second one"), problem.Forbidden)
		wantCode(t, "too short", a.SetPassword(ctx, me, ada.ID, "the first one", "short"), problem.Invalid)
		wantCode(t, "of nobody", a.SetPassword(ctx, admin, "nobody", "", "the second one"), problem.NotFound)
		if err := a.SetPassword(ctx, me, ada.ID, "the first one", "the second one"); err != nil {
			t.Fatal(err)
		}
		session(here) // goes on
		_, err := a.Session(ctx, there.Token)
		wantCode(t, "the other session", err, problem.Unauthenticated)
		_, err = a.SignIn(ctx, "ada", "the first one", home)
		wantCode(t, "the old password", err, problem.Unauthenticated)
		signIn(t, a, "ada", "the second one")

		// An admin sets it without knowing it, and that signs out everywhere.
		if err := a.SetPassword(ctx, admin, ada.ID, "", "the third one"); err != nil {
			t.Fatal(err)
		}
		_, err = a.Session(ctx, here.Token)
		wantCode(t, "the session after a reset", err, problem.Unauthenticated)

		// Who came by a link has forgotten it, but not for ever.
		byLink := func() auth.Session {
			t.Helper()
			link, err := a.OneTimeLink(ctx, ada.ID)
			if err != nil {
				t.Fatal(err)
			}
			s, err := a.Redeem(ctx, tokenOf(t, link))
			if err != nil {
				t.Fatal(err)
			}
			return s
		}
		left := byLink()
		clock.pass(2 * time.Hour)
		wantCode(t, "long after the link", a.SetPassword(ctx, session(left), ada.ID, "", "the fourth one"), problem.Forbidden)
		s := byLink()
		if err := a.SetPassword(ctx, session(s), ada.ID, "", "the fourth one"); err != nil {
			t.Errorf("set by link: %v", err)
		}
		wantCode(t, "a second time by the link", a.SetPassword(ctx, session(s), ada.ID, "", "the fifth one"), problem.Forbidden)
		signIn(t, a, "ada", "the fourth one")

		// A token of the user is not the user.
		_, secret, err := a.CreateToken(ctx, session(s), auth.NewToken{Name: "mine"})
		if err != nil {
			t.Fatal(err)
		}
		token, err := a.Bearer(ctx, secret)
		if err != nil {
			t.Fatal(err)
		}
		wantCode(t, "by a token", a.SetPassword(ctx, token, ada.ID, "the fourth one", "the fifth one"), problem.Forbidden)
	})
}
