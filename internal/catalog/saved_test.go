package catalog_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// Of two people who change one entry, the second is told what happened, rather than undoing it.
func TestWhoeverSavesOverAnotherVersionIsTold(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, c := t.Context(), &clock{moment(t, "2026-03-04T12:00:00Z")}
		l := openLive(t, db, c, "ada, grace")
		grace := auth.WithPrincipal(ctx, auth.Principal{Kind: auth.KindUser, ID: "u1", Name: "grace", Role: auth.Operator})
		team, err := l.SaveTeam(ctx, catalog.Team{Name: "night", Members: []string{"ada"}})
		if err != nil || team.Saved == nil || team.Saved.By != "" || !team.Saved.At.Equal(c.now) {
			t.Fatalf("%+v, %v", team.Saved, err)
		}
		theirs, mine := team, team
		theirs.Description = "theirs"
		if theirs, err = l.SaveTeam(grace, theirs); err != nil || theirs.Saved.Version == team.Saved.Version || theirs.Saved.By != "grace" {
			t.Fatalf("%+v, %v", theirs.Saved, err)
		}
		mine.Members = []string{"linus"}
		_, err = l.SaveTeam(ctx, mine)
		if p := problem.From(err); code(err) != problem.Conflict || p.Field != "If-Match" || !strings.Contains(p.Message, `team "night" was changed by grace`) {
			t.Errorf("saving over another version: %v", err)
		}
		if now, _ := l.Current().Team("night"); now.Description != "theirs" || now.Members[0] != "ada" {
			t.Errorf("it became %+v", now)
		}
		mine.Saved = theirs.Saved // whoever has seen it may replace it
		if mine, err = l.SaveTeam(ctx, mine); err != nil || mine.Description != "" {
			t.Errorf("%+v, %v", mine, err)
		}
		mine.Saved = nil // so may who does not ask
		if _, err = l.SaveTeam(ctx, mine); err != nil {
			t.Error(err)
		}
		// What only follows a new name is a change too: who looked before does not know of it.
		policy, err := l.SavePolicy(ctx, catalog.Policy{Name: "night", Team: "night", Levels: []catalog.Level{{Targets: []catalog.Target{{Kind: catalog.ToPerson, Name: "ada"}}}}})
		if err != nil {
			t.Fatal(err)
		}
		mine.Name = "late"
		if _, err = l.SaveTeam(ctx, mine); err != nil {
			t.Fatal(err)
		}
		if _, err = l.SavePolicy(ctx, policy); code(err) != problem.Conflict {
			t.Errorf("a policy whose team has another name by now: %v", err)
		}
		if shop, _ := l.Current().Team("shop"); shop.Saved != nil {
			t.Errorf("an entry of the file says how it was saved: %+v", shop.Saved)
		}
	})
}

// rig answers requests of an operator.
func rig(t *testing.T, l *catalog.Live, db *store.DB) func(method, path, ifMatch, body string) (int, string) {
	t.Helper()
	const token = "a-token-of-enough-length"
	a, err := auth.New(t.Context(), auth.Config{DB: db, AdminToken: token, KeyFile: t.TempDir() + "/key"})
	if err != nil {
		t.Fatal(err)
	}
	s := web.New(web.Config{Auth: a})
	l.Routes(s)
	handler := s.Handler()
	return func(method, path, ifMatch, body string) (int, string) {
		r := httptest.NewRequest(method, path, strings.NewReader(body))
		r.Header.Set("Authorization", "Bearer "+token)
		r.Header.Set("Content-Type", "application/json")
		if ifMatch != "" {
			r.Header.Set("If-Match", ifMatch)
		}
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
}

func TestServicesAreMadeAndChanged(t *testing.T) {
	db, c := storetest.New(t), &clock{moment(t, "2026-03-04T12:00:00Z")}
	l := openLive(t, db, c, "ada, grace")
	ask := rig(t, l, db)
	status, body := ask("POST", "/api/services", "", `{"name":"Billing","team":"shop","escalationPolicy":"shop","integrations":[{"name":"events"}],
		"supportHours":{"timeZone":"Europe/Paris","outside":"low","windows":[{"start":32400,"duration":28800}]}}`)
	made, _ := l.Current().Service("Billing")
	if status != http.StatusCreated || len(made.Integrations) != 1 || !strings.Contains(body, made.Integrations[0].Key) || !strings.Contains(made.Signals.Traffic, `service="Billing"`) {
		t.Fatalf("%d %s", status, body)
	}
	// Its keys stay, its signals follow its name.
	change := `{"name":"billing","ackTimeout":"30m","integrations":[{"id":"` + made.Integrations[0].ID + `","name":"events"},{"name":"more"}]}`
	status, body = ask("PUT", "/api/services/"+made.ID, `"`+made.Saved.Version+`"`, change)
	now, _ := l.Current().Service("billing")
	if status != http.StatusOK || len(now.Integrations) != 2 || now.Integrations[0] != made.Integrations[0] || len(now.Integrations[1].Key) != 32 ||
		!strings.Contains(now.Signals.Errors, `service="billing"`) || now.SupportHours != nil {
		t.Fatalf("%d %s", status, body)
	}
	for name, x := range map[string]struct {
		method, path, ifMatch, body string
		status                      int
		says                        string
	}{
		"another version":     {"PUT", made.ID, made.Saved.Version, change, http.StatusConflict, `"field":"If-Match"`},
		"of the file":         {"PUT", l.Current().Services[0].ID, "", `{"name":"checkout"}`, http.StatusConflict, "daytwo.yml"},
		"no such service":     {"PUT", "PNONE", "", `{"name":"x"}`, http.StatusNotFound, "PNONE"},
		"no such integration": {"PUT", made.ID, "", `{"name":"billing","integrations":[{"id":"PNONE","name":"x"}]}`, http.StatusBadRequest, "integrations[0].id"},
		"a key in use":        {"PUT", made.ID, "", `{"name":"billing","integrations":[{"name":"x","key":"` + l.Current().Services[0].Integrations[0].Key + `"}]}`, http.StatusBadRequest, "in use by checkout"},
		"no such policy":      {"PUT", made.ID, "", `{"name":"billing","escalationPolicy":"zed"}`, http.StatusBadRequest, "escalationPolicy"},
		"a bad zone":          {"PUT", made.ID, "", `{"name":"billing","supportHours":{"timeZone":"Mars/Base","outside":"low","windows":[{"start":0,"duration":60}]}}`, http.StatusBadRequest, "supportHours.timeZone"},
		"a bad window":        {"PUT", made.ID, "", `{"name":"billing","supportHours":{"timeZone":"UTC","outside":"low","windows":[{"start":0,"duration":999999}]}}`, http.StatusBadRequest, "supportHours.windows[0]"},
		"too long":            {"PUT", made.ID, "", `{"name":"billing","autoResolve":"90d"}`, http.StatusBadRequest, "autoResolve"},
		"a field too many":    {"PUT", made.ID, "", `{"name":"billing","slos":[]}`, http.StatusBadRequest, "slos"},
	} {
		if status, body := ask(x.method, "/api/services/"+x.path, x.ifMatch, x.body); status != x.status || !strings.Contains(body, x.says) {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
	if status, body := ask("DELETE", "/api/services/"+made.ID, "", ""); status != http.StatusNoContent {
		t.Errorf("%d %s", status, body)
	}
}

// Whoever cannot be paged is taken, as PagerDuty takes them, but not in silence.
func TestPeopleWithoutAnAddressAreTakenWithAWarning(t *testing.T) {
	db := storetest.New(t)
	l := openLive(t, db, &clock{moment(t, "2026-03-04T12:00:00Z")}, "ada, grace")
	ask := rig(t, l, db)
	status, body := ask("POST", "/api/people", "", `{"name":"kay"}`)
	if status != http.StatusCreated || !strings.Contains(body, `"warnings":["nobody can page kay: no address is given`) {
		t.Fatalf("%d %s", status, body)
	}
	if _, err := l.SaveContact(t.Context(), "kay", catalog.Contact{Channel: "sms", Address: "+33612345678"}); err != nil {
		t.Fatal(err)
	}
	if _, body := ask("GET", "/api/people", "", ""); !strings.Contains(body, "none of their contacts is verified") || strings.Count(body, `"warnings"`) != 1 {
		t.Errorf("not verified: %s", body)
	}
	kay, _ := l.Current().Person("kay")
	status, body = ask("PUT", "/api/people/"+kay.ID, kay.Saved.Version, `{"name":"kay","email":"kay@example.com"}`)
	if status != http.StatusOK || strings.Contains(body, "warnings") {
		t.Errorf("%d %s", status, body)
	}
}

func TestIntegrationsHaveIDsOfTheirOwn(t *testing.T) {
	l := openLive(t, storetest.New(t), &clock{moment(t, "2026-03-04T12:00:00Z")}, "ada, grace")
	s, err := l.SaveService(t.Context(), catalog.Service{Name: "billing", Integrations: []catalog.Integration{{Name: "a"}}})
	if err != nil {
		t.Fatal(err)
	}
	i := s.Integrations[0]
	s.Integrations = append(s.Integrations, catalog.Integration{ID: i.ID, Name: "b", Key: "fedcba9876543210fedcba9876543210"})
	if _, err := l.SaveService(t.Context(), s); problem.CodeOf(err) != problem.Invalid {
		t.Errorf("two of one id: %v", err)
	}
	if _, err := l.SaveService(t.Context(), catalog.Service{Name: "other", Integrations: []catalog.Integration{i}}); problem.CodeOf(err) != problem.Invalid {
		t.Errorf("one key in two services: %v", err)
	}
}

// A person's new name changes nothing of what does not name them: whoever edits that meanwhile is not in anybody's way.
func TestRenamingAPersonLeavesOthersAlone(t *testing.T) {
	l := openLive(t, storetest.New(t), &clock{moment(t, "2026-03-04T12:00:00Z")}, "ada, grace")
	people := map[string]catalog.Person{}
	for _, name := range []string{"kay", "lin"} {
		p, err := l.SavePerson(t.Context(), catalog.Person{Name: name})
		if err != nil {
			t.Fatal(err)
		}
		people[name] = p
		policy := catalog.Policy{Name: "of " + name, Levels: []catalog.Level{{Targets: []catalog.Target{{Kind: catalog.ToPerson, Name: name}}}}}
		if _, err := l.SavePolicy(t.Context(), policy); err != nil {
			t.Fatal(err)
		}
	}
	before, _ := l.Current().Policy("of lin")
	kay := people["kay"]
	kay.Name = "kay2"
	ctx := auth.WithPrincipal(t.Context(), auth.Principal{Kind: auth.KindToken, Name: "ci"})
	if _, err := l.SavePerson(ctx, kay); err != nil {
		t.Fatal(err)
	}
	if after, _ := l.Current().Policy("of lin"); *after.Saved != *before.Saved {
		t.Errorf("the policy of another was saved: %+v, %+v before", after.Saved, before.Saved)
	}
	if p, _ := l.Current().Policy("of kay"); p.Levels[0].Targets[0].Name != "kay2" {
		t.Errorf("%+v", p)
	}
}
