package catalog_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// Whoever may add a telephone number cannot have it called again and again.
func TestCodesAndTestsAreBounded(t *testing.T) {
	db, c := storetest.New(t), &clock{time.Now().UTC()}
	a, err := auth.New(t.Context(), auth.Config{DB: db, KeyFile: t.TempDir() + "/key"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.CreateUser(t.Context(), auth.NewUser{Name: "ada", Role: auth.Viewer, Password: "correct horse"}); err != nil {
		t.Fatal(err)
	}
	l := openLive(t, db, c, "ada, grace")
	var sent []string
	l.Sealer = a
	l.Tell = func(_ context.Context, c catalog.Contact, subject, _ string) error {
		sent = append(sent, c.Channel+" "+subject)
		return nil
	}
	server := web.New(web.Config{Auth: a})
	l.Routes(server)
	handler, cookie := server.Handler(), ""
	do := func(path, body string) *httptest.ResponseRecorder {
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Cookie", cookie)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w
	}
	expect := func(what, path, body string, status int, want string) {
		t.Helper()
		if w := do(path, body); w.Code != status || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d %s, want %d with %q", what, w.Code, w.Body, status, want)
		}
	}
	cookie, _, _ = strings.Cut(do("/api/session", `{"name":"ada","password":"correct horse"}`).Header().Get("Set-Cookie"), ";")

	number := func(channel, address string) string {
		t.Helper()
		w := do("/api/people/ada/contacts", `{"channel":"`+channel+`","address":"`+address+`"}`)
		var made struct{ ID string }
		if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusCreated {
			t.Fatalf("%d %s, %v", w.Code, w.Body, err)
		}
		return "/api/people/ada/contacts/" + made.ID
	}
	mobile := number("sms", "+15551234567")
	expect("a test of a number nobody has proved", mobile+"/test", "", http.StatusConflict, "proved")
	if len(sent) != 0 {
		t.Fatalf("sent: %q", sent)
	}
	expect("a code", mobile+"/code", "", http.StatusNoContent, "")
	digits := regexp.MustCompile(`[0-9]{6}`).FindString(sent[0])
	expect("the code", mobile+"/verify", `{"code":"`+digits+`"}`, http.StatusOK, `"verified"`)

	// Five in ten minutes, whatever the contact.
	expect("a test", mobile+"/test", "", http.StatusNoContent, "")
	expect("a test", mobile+"/test", "", http.StatusNoContent, "")
	expect("a code to another number", number("voice", "+15551234568")+"/code", "", http.StatusNoContent, "")
	expect("a code to another number", number("voice", "+15551234569")+"/code", "", http.StatusNoContent, "")
	next := number("voice", "+15551234570")
	expect("a sixth message", next+"/code", "", http.StatusTooManyRequests, "5 codes and tests within 10m")
	expect("a sixth message", mobile+"/test", "", http.StatusTooManyRequests, "wait 10m")
	c.now = c.now.Add(9 * time.Minute)
	expect("too soon", next+"/code", "", http.StatusTooManyRequests, "wait 1m")
	c.now = c.now.Add(time.Minute)
	expect("ten minutes later", next+"/code", "", http.StatusNoContent, "")

	// Twenty a day.
	for range 14 {
		c.now = c.now.Add(10 * time.Minute)
		expect("one in ten minutes", mobile+"/test", "", http.StatusNoContent, "")
	}
	c.now = c.now.Add(10 * time.Minute)
	expect("a twenty-first message", mobile+"/test", "", http.StatusTooManyRequests, "20 codes and tests within 1d")
	c.now = c.now.Add(24 * time.Hour)
	expect("the day after", mobile+"/test", "", http.StatusNoContent, "")
	if len(sent) != 21 {
		t.Errorf("%d messages: %q", len(sent), sent)
	}
}
