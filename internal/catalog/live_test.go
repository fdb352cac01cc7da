package catalog_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/schedule"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/web"
)

const oncallFile = `
people:
  - {name: ada, email: ada@example.com}
  - {name: grace, email: grace@example.com, contacts: [{channel: sms, address: "+33612345678"}],
     notify: {high: [{by: sms}, {by: email, after: 2m}]}}
  - {name: linus, email: linus@example.com}
schedules:
  - name: primary
    time_zone: Europe/Paris
    layers:
      - {members: [MEMBERS], rotation: weekly, handoff: 2026-01-05 09:00}
escalation_policies:
  - {name: shop, levels: [{targets: [primary], after: 0s}, {targets: [linus], after: 5m}]}
services:
  - {name: checkout, team: shop, escalation_policy: shop, integrations: [{name: events}],
     urgency: severity, support_hours: {time_zone: Europe/Paris, windows: [{days: [mon, tue, wed, thu, fri], from: "09:00", to: "17:00"}]}}
teams: [{name: shop, members: [ada]}]
`

type clock struct{ now time.Time }

func openLive(t *testing.T, db *store.DB, c *clock, members string) *catalog.Live {
	t.Helper()
	file, findings := catalog.Parse("daytwo.yml", []byte(strings.ReplaceAll(oncallFile, "MEMBERS", members)))
	if problem.Broken(findings) {
		t.Fatal(findings)
	}
	l, err := catalog.Open(t.Context(), catalog.Config{DB: db, File: file, Logger: slog.New(slog.DiscardHandler), Now: func() time.Time { return c.now }})
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func moment(t *testing.T, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func code(err error) problem.Code { return problem.CodeOf(err) }

func TestEntriesAreStoredAndMergedWithTheFile(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		ctx, c := t.Context(), &clock{moment(t, "2026-03-04T12:00:00Z")}
		l := openLive(t, db, c, "ada, grace")

		barbara, err := l.SavePerson(ctx, catalog.Person{Name: "Barbara Liskov", Email: "barbara@example.com"})
		if err != nil || !barbara.Reachable() || len(barbara.ID) != 14 {
			t.Fatalf("%+v, %v", barbara, err)
		}
		s, err := l.SaveSchedule(ctx, catalog.Schedule{Name: "Secondary", Definition: schedule.Definition{Zone: "UTC", Layers: []schedule.Layer{
			{Name: "days", Members: []string{"Barbara Liskov", "linus"}, Rotation: schedule.Rotation{Every: 1, Unit: schedule.Day}, Anchor: moment(t, "2026-03-01T09:00:00Z")}}}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := l.SavePolicy(ctx, catalog.Policy{Name: "Night", Levels: []catalog.Level{{Targets: []catalog.Target{{Kind: catalog.ToSchedule, Name: "Secondary"}}}}, Then: "shop"}); err != nil {
			t.Fatal(err)
		}
		service, err := l.SaveService(ctx, catalog.Service{Name: "Billing", EscalationPolicy: "Night", Integrations: []catalog.Integration{{Name: "events"}}})
		if err != nil || len(service.Integrations[0].Key) != 32 {
			t.Fatalf("%+v, %v", service, err)
		}
		if found, _, ok := l.Current().ByKey(service.Integrations[0].Key); !ok || found.Name != "Billing" {
			t.Errorf("by key: %+v", found)
		}

		// What refers to an entry follows its new name, and keeps it from being removed.
		barbara.Name = "barbara"
		if barbara, err = l.SavePerson(ctx, barbara); err != nil {
			t.Fatal(err)
		}
		s, _ = l.Current().Schedule("Secondary")
		if s.Layers[0].Members[0] != "barbara" {
			t.Errorf("members: %v", s.Layers[0].Members)
		}
		if err := l.Delete(ctx, catalog.KindSchedule, s.ID); code(err) != problem.Conflict || !strings.Contains(err.Error(), "policy Night") {
			t.Errorf("removing a schedule in use: %v", err)
		}

		// Names are unique, references exist, what a file declares is changed there.
		if _, err := l.SaveTeam(ctx, catalog.Team{Name: "shop"}); code(err) != problem.Conflict {
			t.Errorf("a name twice: %v", err)
		}
		if _, err := l.SaveTeam(ctx, catalog.Team{Name: "x", Members: []string{"zed"}}); code(err) != problem.Invalid || problem.From(err).Field != "members[0]" {
			t.Errorf("a member that does not exist: %v", err)
		}
		night, _ := l.Current().Policy("Night")
		shop, _ := l.Current().Policy("shop")
		shop.Then = "Night"
		if _, err := l.SavePolicy(ctx, shop); code(err) != problem.Conflict || !strings.Contains(problem.From(err).Mend, "daytwo.yml") {
			t.Errorf("changing what the file declares: %v", err)
		}
		night.Then = "Night"
		if _, err := l.SavePolicy(ctx, night); code(err) != problem.Invalid {
			t.Errorf("a policy after itself: %v", err)
		}

		// Everything is there after a restart.
		want, _ := json.Marshal(l.Current())
		got, _ := json.Marshal(openLive(t, db, c, "ada, grace").Current())
		if string(want) != string(got) {
			t.Errorf("after a restart\n%s\nbefore\n%s", got, want)
		}
	})
}

func TestAFileThatChangesMovesNobodyAndNoHistory(t *testing.T) {
	db, c := storetest.New(t), &clock{moment(t, "2026-03-04T12:00:00Z")}
	l := openLive(t, db, c, "ada, grace")
	calendar, _ := l.Current().Calendar("primary")
	before, _ := calendar.At(c.now)
	past, _ := json.Marshal(calendar.Final(c.now.Add(-60*24*time.Hour), c.now))
	changed, _ := catalog.Parse("daytwo.yml", []byte(strings.ReplaceAll(oncallFile, "MEMBERS", "linus, ada, grace")))
	l.Replace(changed)
	key := l.Current().Services[0].Integrations[0].Key
	c.now = c.now.Add(time.Hour)
	for range 2 { // the second from the store
		calendar, _ = l.Current().Calendar("primary")
		if now, _ := calendar.At(c.now); now.Person != before.Person {
			t.Errorf("adding somebody moved on-call from %s to %s", before.Person, now.Person)
		}
		again, _ := json.Marshal(calendar.Final(c.now.Add(-time.Hour).Add(-60*24*time.Hour), c.now.Add(-time.Hour)))
		if string(again) != string(past) {
			t.Errorf("history became %s", again)
		}
		if k := l.Current().Services[0].Integrations[0].Key; k != key || len(k) != 32 {
			t.Errorf("the key made for the integration became %q", k)
		}
		l = openLive(t, db, c, "linus, ada, grace")
	}
}

func TestOverridesOfASchedule(t *testing.T) {
	ctx, c := t.Context(), &clock{moment(t, "2026-03-04T12:00:00Z")}
	l := openLive(t, storetest.New(t), c, "ada, grace")
	made, err := l.Override(ctx, "primary", schedule.Override{Person: "linus", Start: c.now.Add(-time.Hour), End: c.now.Add(2 * time.Hour)})
	if err != nil || !made[0].Start.Equal(c.now) {
		t.Fatalf("a start in the past becomes now: %+v, %v", made, err)
	}
	on := func() string {
		person, _ := l.Current().OnCall(catalog.Target{Kind: catalog.ToSchedule, Name: "primary"}, c.now)
		return person
	}
	if on() != "linus" {
		t.Errorf("on call: %s", on())
	}
	c.now = c.now.Add(time.Hour)
	if err := l.EndOverride(ctx, "primary", made[0].ID); err != nil {
		t.Fatal(err)
	}
	if on() == "linus" {
		t.Error("the override that was ended goes on")
	}
	s, _ := l.Current().Schedule("primary")
	if len(s.Overrides) != 1 || !s.Overrides[0].End.Equal(c.now) {
		t.Errorf("what was stays: %+v", s.Overrides)
	}
	if err := l.EndOverride(ctx, "primary", made[0].ID); code(err) != problem.Conflict {
		t.Errorf("ending what is over: %v", err)
	}
	if _, err := l.Override(ctx, "primary", schedule.Override{Person: "linus", Start: c.now.Add(-2 * time.Hour), End: c.now.Add(-time.Hour)}); code(err) != problem.Invalid {
		t.Errorf("an override in the past: %v", err)
	}
	calendar, _ := l.Current().Calendar("primary")
	now := calendar.Now(c.now)
	swapped, err := l.Swap(ctx, "primary", schedule.Span{Start: c.now, End: now.On.End}, now.Next.Span, "ada")
	if err != nil || len(swapped) != 2 || on() != now.Next.Person {
		t.Fatalf("%+v, %v, on call %s", swapped, err, on())
	}
	if _, err := l.Swap(ctx, "primary", schedule.Span{Start: c.now, End: now.On.End}, now.Next.Span, "grace"); code(err) != problem.Conflict {
		t.Errorf("swapped again: %v", err)
	}
	if err := l.EndOverride(ctx, "primary", swapped[1].ID); err != nil || on() == now.Next.Person {
		t.Errorf("taking one half of a swap back takes both: %v, on call %s", err, on())
	}
}

func TestPlansAndUrgency(t *testing.T) {
	l := openLive(t, storetest.New(t), &clock{moment(t, "2026-03-04T12:00:00Z")}, "ada, grace")
	grace, _ := l.Current().Person("grace")
	high, low := grace.Plan(catalog.High), grace.Plan(catalog.Low)
	if len(high) != 2 || high[0].Contact.Channel != "sms" || high[1].After != 2*time.Minute || len(low) != 1 || low[0].Contact.Channel != "email" {
		t.Errorf("high %+v, low %+v", high, low)
	}
	contact, err := l.SaveContact(t.Context(), "ada", catalog.Contact{Channel: "sms", Address: "+15551234567"})
	if err != nil {
		t.Fatal(err)
	}
	ada, _ := l.Current().Person("ada")
	if plan := ada.Plan(catalog.High); len(plan) != 1 || plan[0].Contact.Channel != "email" {
		t.Errorf("a number nobody has proved is used: %+v", plan)
	}
	contact.Verified = new(time.Now())
	if _, err := l.SaveContact(t.Context(), "ada", contact); err != nil {
		t.Fatal(err)
	}
	if ada, _ = l.Current().Person("ada"); len(ada.Plan(catalog.High)) != 2 {
		t.Errorf("%+v", ada.Plan(catalog.High))
	}
	checkout, _ := l.Current().Service("checkout")
	for _, tt := range []struct{ severity, at, want string }{
		{"critical", "2026-03-04T10:00:00+01:00", catalog.High}, {"warning", "2026-03-04T10:00:00+01:00", catalog.Low},
		{"critical", "2026-03-04T18:00:00+01:00", catalog.Low}, {"critical", "2026-03-07T10:00:00+01:00", catalog.Low},
	} {
		if got, why := checkout.UrgencyAt(tt.severity, moment(t, tt.at)); got != tt.want {
			t.Errorf("%s at %s: %s because %s", tt.severity, tt.at, got, why)
		}
	}
}

// session is somebody who asks the API.
type session struct {
	t       *testing.T
	handler http.Handler
	token   string
}

func (s session) do(method, path, body string) (int, string) {
	s.t.Helper()
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	r.Header.Set("Authorization", "Bearer "+s.token)
	r.Header.Set("Content-Type", "application/json")
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

func TestScheduleRoutes(t *testing.T) {
	db, c := storetest.New(t), &clock{time.Now().UTC()}
	a, err := auth.New(t.Context(), auth.Config{DB: db, AdminToken: "a-token-of-enough-length", KeyFile: t.TempDir() + "/key"})
	if err != nil {
		t.Fatal(err)
	}
	l := openLive(t, db, c, "ada, grace")
	var sent []string
	l.Sealer, l.PublicURL = a, "https://daytwo.example"
	l.Tell = func(_ context.Context, c catalog.Contact, subject, _ string) error {
		sent = append(sent, c.Channel+" "+subject)
		return nil
	}
	web := web.New(web.Config{Auth: a})
	l.Routes(web)
	s := session{t, web.Handler(), "a-token-of-enough-length"}
	expect := func(method, path, body string, status int, want string) string {
		t.Helper()
		got, answer := s.do(method, path, body)
		if got != status || !strings.Contains(answer, want) {
			t.Errorf("%s %s = %d %s", method, path, got, answer)
		}
		return answer
	}
	expect("GET", "/api/oncall", "", 200, `"schedule":"primary"`)
	expect("GET", "/api/schedules/primary/rendered?from=now&to=now%2B30d", "", 200, `"coverage":1`)
	expect("GET", "/api/schedules/primary/rendered?from=now&to=now%2B9000d", "", 400, "a year")
	expect("GET", "/api/schedules/primary/fairness", "", 200, `"person":"ada"`)
	tomorrow := c.now.Add(24 * time.Hour).Format(time.RFC3339)
	later := c.now.Add(25 * time.Hour).Format(time.RFC3339)
	expect("POST", "/api/schedules/primary/overrides", `{"person":"linus","start":"`+tomorrow+`","end":"`+later+`"}`, 201, `"person":"linus"`)
	expect("POST", "/api/schedules/primary/overrides", `{"person":"zed","start":"`+tomorrow+`","end":"`+later+`"}`, 400, `no person`)
	answer := expect("POST", "/api/schedules", `{"name":"Second","timeZone":"UTC","layers":[{"members":["ada","linus"],"rotation":{"every":1,"unit":"day"},"anchor":"2026-01-01T09:00:00Z"}]}`, 201, `"name":"Second"`)
	expect("POST", "/api/schedule-preview", `{"name":"x","timeZone":"Mars","layers":[]}`, 400, `"field":"timeZone"`)
	var made struct{ ID string }
	if err := json.Unmarshal([]byte(answer), &made); err != nil {
		t.Fatal(err)
	}
	previewed(t, s, c.now)
	expect("PUT", "/api/schedules/"+made.ID, `{"name":"Second","timeZone":"UTC","layers":[{"members":[],"rotation":{"every":1,"unit":"day"},"anchor":"2026-01-01T09:00:00Z"}]}`, 400, `layers[0].members`)
	expect("DELETE", "/api/schedules/"+made.ID, "", 204, "")
	primary, _ := l.Current().Schedule("primary")
	expect("DELETE", "/api/schedules/"+primary.ID, "", 409, "daytwo.yml")

	feed := expect("GET", "/api/schedules/primary/feed", "", 200, "https://daytwo.example/feeds/")
	var address catalog.Feed
	if err := json.Unmarshal([]byte(feed), &address); err != nil {
		t.Fatal(err)
	}
	path := strings.TrimPrefix(address.URL, "https://daytwo.example")
	calendar := httptest.NewRecorder()
	s.handler.ServeHTTP(calendar, httptest.NewRequest("GET", path, nil)) // nobody has signed in
	if calendar.Code != 200 || !strings.Contains(calendar.Body.String(), "X-DAYTWO-PERSON:linus") {
		t.Errorf("the feed: %d %s", calendar.Code, calendar.Body)
	}
	if status, _ := s.do("GET", path[:len(path)-8]+"AAAA.ics", ""); status != 404 {
		t.Errorf("a forged feed: %d", status)
	}
	text, _ := json.Marshal(calendar.Body.String())
	expect("POST", "/api/schedules/primary/import", `{"calendar":`+string(text)+`,"source":"other","dryRun":true}`, 200, `"person":"ada"`)
	expect("POST", "/api/schedules/primary/import", `{"calendar":"nonsense"}`, 400, "not a calendar")

	expect("POST", "/api/people/ada/contacts", `{"channel":"sms","address":"12"}`, 400, "telephone number")
	contact := expect("POST", "/api/people/ada/contacts", `{"channel":"ntfy","address":"https://ntfy.example/secret-topic"}`, 201, `"verified"`)
	if strings.Contains(contact, "secret-topic") {
		t.Error("the secret of a contact is shown")
	}
	ada, _ := l.Current().Person("ada")
	expect("POST", "/api/people/ada/contacts/"+ada.Contacts[1].ID+"/test", "", 204, "")
	if len(sent) != 1 || !strings.HasPrefix(sent[0], "ntfy Test") {
		t.Errorf("sent: %q", sent)
	}
	expect("POST", "/api/people/ada/rules", `{"urgency":"high","after":"5m","contact":"ntfy"}`, 201, `"after":"5m"`)
	expect("POST", "/api/people/grace/rules", `{"urgency":"high","after":"5m","contact":"sms"}`, 409, "daytwo.yml")
	expect("DELETE", "/api/people/ada/contacts/"+ada.Contacts[0].ID, "", 409, "daytwo.yml")
	expect("DELETE", "/api/people/ada/contacts/"+ada.Contacts[1].ID, "", 204, "")
}

// previewed proves that a preview shows what saving brings: whoever has the turn keeps it, and overrides stay.
func previewed(t *testing.T, s session, now time.Time) {
	t.Helper()
	ask := func(query, members string) catalog.Rendered {
		t.Helper()
		status, answer := s.do("POST", "/api/schedule-preview"+query, `{"name":"primary","timeZone":"Europe/Paris","layers":[
			{"name":"layer 1","members":[`+members+`],"rotation":{"every":1,"unit":"week"},"anchor":"2026-01-05T08:00:00Z"}]}`)
		var r catalog.Rendered
		if err := json.Unmarshal([]byte(answer), &r); err != nil || status != 200 {
			t.Fatalf("preview: %d %s", status, answer)
		}
		return r
	}
	_, answer := s.do("GET", "/api/schedules/primary/rendered?from=now&to=now%2B14d", "")
	var before catalog.Rendered
	if err := json.Unmarshal([]byte(answer), &before); err != nil {
		t.Fatal(err)
	}
	for _, members := range []string{`"linus","ada","grace"`, `"grace","linus","ada"`, `"ada","grace"`} {
		after := ask("?schedule=primary", members)
		if after.Final[0].Person != before.Final[0].Person || !after.Final[0].End.Equal(before.Final[0].End) {
			t.Errorf("with %s %+v has the turn, before %+v", members, after.Final[0], before.Final[0])
		}
		if !slices.ContainsFunc(after.Final, func(s schedule.Shift) bool { return s.Override != "" }) {
			t.Errorf("with %s the override is gone", members)
		}
	}
	if fresh := ask("", `"grace"`); len(fresh.Final) != 1 || fresh.Final[0].Person != "grace" {
		t.Errorf("a new schedule: %+v", fresh.Final)
	}
	if status, answer := s.do("POST", "/api/schedule-preview?schedule=nope", `{"name":"x","timeZone":"UTC","layers":[]}`); status != 404 {
		t.Errorf("a preview of what is not there: %d %s", status, answer)
	}
	until := now.Add(48 * time.Hour).Format(time.RFC3339)
	status, answer := s.do("POST", "/api/schedule-preview?to=now%2B4d", `{"name":"x","timeZone":"UTC","layers":[
		{"members":["ada"],"rotation":{"every":1,"unit":"day"},"anchor":"2026-01-05T08:00:00Z","until":"`+until+`"}]}`)
	if status != 200 || !strings.Contains(answer, `"coverage":0.`) {
		t.Errorf("a layer that ends: %d %s", status, answer)
	}
}
