package web_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/web"
)

func linkToken(t *testing.T, link string) map[string]string {
	t.Helper()
	u, err := url.Parse(link)
	if err != nil || u.Path != "/sign-in" || u.Query().Get("token") == "" {
		t.Fatalf("link %q", link)
	}
	return map[string]string{"token": u.Query().Get("token")}
}

// The first evening: a link, a password, another user, a token, and the log.
func TestFromTheFirstLinkToTheAuditLog(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		r := newRig(t, db, nil)
		link, _, err := r.auth.Bootstrap(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var who web.Session
		r.do("GET", "/api/session", nil).ok(t, 200, &who)
		if who.Authenticated || who.User != nil || len(who.Methods) == 0 {
			t.Errorf("before: %+v", who)
		}

		c := r.do("POST", "/api/session/redeem", linkToken(t, link)).ok(t, 200, &who).session(t)
		if !who.Authenticated || who.User.Name != "admin" || who.User.Role != auth.Admin || who.User.HasPassword {
			t.Errorf("by link: %+v", who.User)
		}
		if !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure || c.Path != "/" || c.MaxAge != int((30*24*time.Hour).Seconds()) {
			t.Errorf("cookie %+v", c)
		}
		r.do("POST", "/api/session/redeem", linkToken(t, link)).problem(t, 401, problem.Unauthenticated)
		me := cookie(c)

		r.do("POST", "/api/users/"+who.User.ID+"/password", map[string]string{"password": "correct horse"}, me).ok(t, 204, nil)
		r.do("POST", "/api/session", map[string]string{"name": "admin", "password": "correct horse"}).ok(t, 200, &who)
		if !who.User.HasPassword {
			t.Errorf("by password: %+v", who.User)
		}

		var made web.CreatedUser
		r.do("POST", "/api/users", map[string]any{"name": "grace", "email": "grace@example.com", "role": "operator"}, me).ok(t, 201, &made)
		if made.User.Role != auth.Operator || !strings.HasPrefix(made.Link, r.url+"/sign-in?token=") {
			t.Errorf("made %+v", made)
		}
		grace := r.do("POST", "/api/session/redeem", linkToken(t, made.Link)).ok(t, 200, nil).session(t)
		var token web.CreatedToken
		r.do("POST", "/api/tokens", map[string]any{"name": "ci", "role": "operator", "scopes": []string{"operate"}}, cookie(grace)).ok(t, 201, &token)
		r.do("GET", "/api/session", nil, bearer(token.Secret)).ok(t, 200, &who)
		if who.User.Kind != auth.KindToken || who.User.Name != "ci" || who.User.Role != auth.Operator {
			t.Errorf("by token: %+v", who.User)
		}
		var users web.List[auth.User]
		r.do("PATCH", "/api/users/"+made.User.ID, map[string]any{"disabled": true}, me).ok(t, 200, nil)
		r.do("GET", "/api/users", nil, me).ok(t, 200, &users)
		if len(users.Items) != 2 || !users.Items[1].Disabled {
			t.Errorf("users %+v", users)
		}
		r.do("GET", "/api/session", nil, cookie(grace)).ok(t, 200, &who)
		r.do("GET", "/api/tokens", nil, bearer(token.Secret)).problem(t, 401, problem.Unauthenticated)
		r.do("DELETE", "/api/tokens/"+token.Token.ID, nil, me).ok(t, 204, nil)
		gone := r.do("DELETE", "/api/session", nil, me).ok(t, 204, nil).session(t)
		if gone.MaxAge != -1 || gone.Value != "" {
			t.Errorf("the cookie stays: %+v", gone)
		}
		r.do("GET", "/api/users", nil, me).problem(t, 401, problem.Unauthenticated)

		var log web.List[auth.Entry]
		r.do("GET", "/api/audit?limit=500", nil, asAdmin).ok(t, 200, &log)
		var lines []string
		for _, e := range log.Items {
			lines = append([]string{e.Actor + " " + e.Action + " " + e.Detail}, lines...)
			if e.Actor != "system:start" && (e.Request == "" || e.Address != "127.0.0.1") {
				t.Errorf("entry %+v says not where it comes from", e)
			}
		}
		want := []string{
			"system:start user.create the first admin",
			"admin session.create by one-time link",
			"admin user.password ",
			"admin session.create by password",
			"admin user.create name=grace role=operator",
			"grace session.create by one-time link",
			`grace token.create name="ci" role=operator scopes=[operate]`,
			"admin user.update name=grace disabled=true",
			`admin token.revoke name="ci"`,
			"admin session.end ",
		}
		if strings.Join(lines, "\n") != strings.Join(want, "\n") {
			t.Errorf("audit log:\n%s\nwant:\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
		}
	})
}

func TestLinkIsUsedOnceOverHTTP(t *testing.T) {
	r := newRig(t, nil, nil)
	link, _, err := r.auth.Bootstrap(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	body := linkToken(t, link)
	statuses := make([]int, 16)
	var wg sync.WaitGroup
	for i := range statuses {
		wg.Go(func() { statuses[i] = r.do("POST", "/api/session/redeem", body).StatusCode })
	}
	wg.Wait()
	in := 0
	for _, s := range statuses {
		if s == 200 {
			in++
		} else if s != 401 {
			t.Errorf("status %d", s)
		}
	}
	if in != 1 {
		t.Errorf("%d got in", in)
	}
}

func TestSessionExpires(t *testing.T) {
	r := newRig(t, nil, nil)
	_, c := r.signedIn("ada", auth.Viewer)
	r.pass(29 * 24 * time.Hour)
	renewed := r.do("GET", "/api/session", nil, cookie(c)).ok(t, 200, nil).session(t)
	if renewed.Value != c.Value || renewed.MaxAge != c.MaxAge {
		t.Errorf("the cookie does not slide: %+v", renewed)
	}
	r.pass(29 * 24 * time.Hour)
	r.do("GET", "/api/tokens", nil, cookie(c)).ok(t, 200, nil)
	r.pass(31 * 24 * time.Hour)
	r.do("GET", "/api/tokens", nil, cookie(c)).problem(t, 401, problem.Unauthenticated)
	var who web.Session
	r.do("GET", "/api/session", nil, cookie(c)).ok(t, 200, &who)
	if who.Authenticated {
		t.Error("an ended session is somebody")
	}
}

func TestFailedSignInsAreThrottled(t *testing.T) {
	r := newRig(t, nil, nil, func(c *web.Config) { c.TrustProxy = true })
	r.signedIn("ada", auth.Viewer)
	wrong := map[string]string{"name": "ada", "password": "wrong horse"}
	from := header("X-Forwarded-For", "198.51.100.1, 203.0.113.9")
	for range 5 {
		r.do("POST", "/api/session", wrong, from).problem(t, 401, problem.Unauthenticated)
	}
	a := r.do("POST", "/api/session", wrong, from)
	p := a.problem(t, 429, problem.Exhausted)
	if a.Header.Get("Retry-After") != "1" || !strings.Contains(p.Mend, "1s") {
		t.Errorf("Retry-After %q: %s", a.Header.Get("Retry-After"), a.body)
	}
	r.do("POST", "/api/session", wrong, header("X-Forwarded-For", "203.0.113.9, 203.0.113.10")).problem(t, 401, problem.Unauthenticated)
	if e := r.audit("session.refuse"); len(e) != 6 || e[5].Address != "203.0.113.9" {
		t.Errorf("%d refusals in the audit log", len(e))
	}
}

// Whoever does not trust a proxy is not fooled about addresses or TLS.
func TestForwardedHeadersNeedTrust(t *testing.T) {
	forwarded := []call{header("X-Forwarded-For", "203.0.113.9"), header("X-Forwarded-Proto", "https")}
	for _, tt := range []struct {
		name    string
		config  func(*web.Config)
		secure  bool
		address string
	}{
		{"nobody", func(*web.Config) {}, false, "127.0.0.1"},
		{"the proxy", func(c *web.Config) { c.TrustProxy = true }, true, "203.0.113.9"},
		{"an https public URL", func(c *web.Config) { c.PublicURL = "https://ops.example.com" }, true, "127.0.0.1"},
	} {
		r := newRig(t, nil, nil, tt.config)
		r.signedIn("ada", auth.Viewer)
		a := r.do("POST", "/api/session", map[string]string{"name": "ada", "password": "correct horse"}, forwarded...).ok(t, 200, nil)
		if c := a.session(t); c.Secure != tt.secure {
			t.Errorf("trusting %s: secure %t", tt.name, c.Secure)
		}
		if e := r.audit("session.create"); e[0].Address != tt.address {
			t.Errorf("trusting %s: address %s", tt.name, e[0].Address)
		}
	}
}

// Two servers on one host do not sign each other's users out.
func TestCookiesOfTwoPorts(t *testing.T) {
	one, two := newRig(t, nil, nil), newRig(t, nil, nil)
	_, a := one.signedIn("ada", auth.Viewer)
	_, b := two.signedIn("ada", auth.Viewer)
	if a.Name == b.Name {
		t.Fatalf("both are named %s", a.Name)
	}
	one.do("GET", "/api/tokens", nil, cookie(b), cookie(a)).ok(t, 200, nil)
	two.do("GET", "/api/tokens", nil, cookie(a), cookie(b)).ok(t, 200, nil)
}

func TestUserAndTokenRoutes(t *testing.T) {
	r := newRig(t, nil, nil)
	ada, c := r.signedIn("ada", auth.Responder)
	me := cookie(c)
	for _, tt := range []struct {
		method, path string
		body         any
		status       int
		code         problem.Code
		field        string
		by           call
	}{
		{"GET", "/api/users", nil, 403, problem.Forbidden, "", me},
		{"GET", "/api/audit", nil, 403, problem.Forbidden, "", me},
		{"POST", "/api/users", map[string]string{"name": "x", "role": "viewer"}, 403, problem.Forbidden, "", me},
		{"PATCH", "/api/users/" + ada.ID, map[string]string{"role": "admin"}, 403, problem.Forbidden, "", me},
		{"POST", "/api/users/" + ada.ID + "/link", nil, 403, problem.Forbidden, "", me},
		{"POST", "/api/users/" + ada.ID + "/password", map[string]string{"password": "another one", "current": "x"}, 403, problem.Forbidden, "current", me},
		{"POST", "/api/tokens", map[string]string{"name": "x", "role": "operator"}, 403, problem.Forbidden, "", me},
		{"POST", "/api/users", map[string]string{"name": "ada", "role": "viewer"}, 409, problem.Conflict, "name", asAdmin},
		{"POST", "/api/users", map[string]string{"name": "a b", "role": "viewer"}, 400, problem.Invalid, "name", asAdmin},
		{"POST", "/api/users", map[string]string{"name": "x", "role": "root"}, 400, problem.Invalid, "role", asAdmin},
		{"POST", "/api/users", map[string]string{"name": "x", "role": "viewer", "password": "short"}, 400, problem.Invalid, "password", asAdmin},
		{"PATCH", "/api/users/nobody", map[string]string{"role": "admin"}, 404, problem.NotFound, "", asAdmin},
		{"POST", "/api/users/nobody/link", nil, 404, problem.NotFound, "", asAdmin},
		{"POST", "/api/users/nobody/password", map[string]string{"password": "another one"}, 404, problem.NotFound, "", asAdmin},
		{"POST", "/api/tokens", map[string]any{"name": "x", "role": "viewer", "scopes": []string{"all"}}, 400, problem.Invalid, "scopes[0]", asAdmin},
		{"POST", "/api/tokens", map[string]any{"name": "x", "role": "viewer", "expiresAt": "2001-01-01T00:00:00Z"}, 400, problem.Invalid, "expiresAt", asAdmin},
		{"DELETE", "/api/tokens/nothing", nil, 404, problem.NotFound, "", asAdmin},
		{"GET", "/api/audit?cursor=!", nil, 400, problem.Invalid, "cursor", asAdmin},
		{"GET", "/api/audit?from=yesterday", nil, 400, problem.Invalid, "from", asAdmin},
		{"GET", "/api/audit?limit=501", nil, 400, problem.Invalid, "limit", asAdmin},
	} {
		before := len(r.audit(""))
		a := r.do(tt.method, tt.path, tt.body, tt.by)
		if p := a.problem(t, tt.status, tt.code); p.Field != tt.field {
			t.Errorf("%s %s: %s", tt.method, tt.path, a.body)
		}
		if after := len(r.audit("")); after != before {
			t.Errorf("%s %s: refused, but %d entries in the audit log", tt.method, tt.path, after-before)
		}
	}
	var link web.UserLink
	r.do("POST", "/api/users/"+ada.ID+"/link", nil, asAdmin).ok(t, 201, &link)
	r.do("POST", "/api/session/redeem", linkToken(t, link.Link)).ok(t, 200, nil)
	r.do("DELETE", "/api/session", nil, asAdmin).ok(t, 204, nil) // a token has none
}

func TestAuditPages(t *testing.T) {
	r := newRig(t, nil, func(s *web.Server) {
		o := op("touch")
		o.Audit = "thing.touch"
		web.Post(s, "/api/things/{id}/touch", o, func(ctx context.Context, in *struct {
			ID string `path:"id"`
		}) (*struct{}, error) {
			return nil, nil
		})
	})
	for _, id := range []string{"1", "2", "3", "4", "5"} {
		r.do("POST", "/api/things/"+id+"/touch", nil, asAdmin).ok(t, 204, nil)
	}
	var got []string
	path := "/api/audit?action=thing.touch&limit=2"
	for next, parts := "", 0; ; parts++ {
		var part web.List[auth.Entry]
		r.do("GET", path+"&cursor="+next, nil, asAdmin).ok(t, 200, &part)
		for _, e := range part.Items {
			got = append(got, e.Target)
		}
		if next = part.Next; next == "" {
			if parts != 2 {
				t.Errorf("%d parts", parts+1)
			}
			break
		}
	}
	if s := strings.Join(got, " "); s != "things/5/touch things/4/touch things/3/touch things/2/touch things/1/touch" {
		t.Errorf("%s", s)
	}
	empty := r.do("GET", "/api/audit?actor=nobody", nil, asAdmin).ok(t, 200, nil).body
	if strings.TrimSpace(empty) != `{"items":[]}` {
		t.Errorf("an empty list is %s", empty)
	}
}

func TestInfo(t *testing.T) {
	begin := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	r := newRig(t, nil, nil, func(c *web.Config) {
		c.Info = web.Info{DataDir: "data", Storage: "sqlite", Demo: true}
		c.SamplesSince = func() (time.Time, bool) { return begin, true }
	})
	var viewer, admin web.Info
	r.do("GET", "/api/info", nil, bearer(r.token(auth.Viewer))).ok(t, 200, &viewer)
	r.do("GET", "/api/info", nil, asAdmin).ok(t, 200, &admin)
	if viewer.DataDir != "" || admin.DataDir != "data" {
		t.Errorf("data directory: viewer %q, admin %q", viewer.DataDir, admin.DataDir)
	}
	if viewer.SamplesSince == nil || !viewer.SamplesSince.Equal(begin) {
		t.Errorf("samples since %v", viewer.SamplesSince)
	}
	if viewer.Version != "v1.2.3" || viewer.GoVersion == "" || viewer.PublicURL != r.url || !viewer.Demo {
		t.Errorf("%+v", viewer)
	}
}
