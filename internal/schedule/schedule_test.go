package schedule_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/schedule"
)

func at(t testing.TB, s string) time.Time {
	t.Helper()
	v, err := time.Parse(time.RFC3339, s)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func build(t testing.TB, d schedule.Definition) *schedule.Schedule {
	t.Helper()
	s, err := schedule.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func rotation(t testing.TB, zone string, every int, unit schedule.Unit, anchor string, members ...string) *schedule.Schedule {
	t.Helper()
	return build(t, schedule.Definition{Zone: zone, Layers: []schedule.Layer{
		{Members: members, Rotation: schedule.Rotation{Every: every, Unit: unit}, Anchor: at(t, anchor)}}})
}

// show writes shifts as local times.
func show(s *schedule.Schedule, shifts []schedule.Shift) string {
	var lines []string
	for _, x := range shifts {
		const form = "01-02 15:04 -07"
		lines = append(lines, fmt.Sprintf("%s %s → %s", x.Person, x.Start.In(s.Location()).Format(form), x.End.In(s.Location()).Format(form)))
	}
	return strings.Join(lines, "\n")
}

func TestHandoffsKeepTheWallClock(t *testing.T) {
	for name, tt := range map[string]struct {
		s        *schedule.Schedule
		from, to string
		want     string
	}{
		"a handoff at a time that is skipped happens when it is skipped, and the next day at its time": {
			rotation(t, "America/Chicago", 1, schedule.Day, "2020-03-01T02:30:00-06:00", "a", "b"),
			"2020-03-07T12:00:00-06:00", "2020-03-10T00:00:00-05:00", `
a 03-07 12:00 -06 → 03-08 03:00 -05
b 03-08 03:00 -05 → 03-09 02:30 -05
a 03-09 02:30 -05 → 03-10 00:00 -05`},
		"an hour that comes twice is one turn of two hours": {
			rotation(t, "America/Chicago", 1, schedule.Hour, "2020-11-01T00:30:00-05:00", "a", "b"),
			"2020-11-01T00:30:00-05:00", "2020-11-01T04:30:00-06:00", `
a 11-01 00:30 -05 → 11-01 01:30 -05
b 11-01 01:30 -05 → 11-01 02:30 -06
a 11-01 02:30 -06 → 11-01 03:30 -06
b 11-01 03:30 -06 → 11-01 04:30 -06`},
		"half an hour is skipped on Lord Howe": {
			rotation(t, "Australia/Lord_Howe", 1, schedule.Day, "2020-10-01T02:15:00+10:30", "a", "b"),
			"2020-10-03T12:00:00+10:30", "2020-10-05T12:00:00+11:00", `
a 10-03 12:00 +10 → 10-04 02:30 +11
b 10-04 02:30 +11 → 10-05 02:15 +11
a 10-05 02:15 +11 → 10-05 12:00 +11`},
		"a weekly handoff at midnight stays at midnight": {
			rotation(t, "America/Chicago", 1, schedule.Week, "2020-10-29T05:00:00Z", "a", "b"),
			"2020-10-29T05:00:00Z", "2020-11-12T06:00:00Z", `
a 10-29 00:00 -05 → 11-05 00:00 -06
b 11-05 00:00 -06 → 11-12 00:00 -06`},
		"a day that a zone leaves out is nobody's turn": {
			rotation(t, "Pacific/Apia", 1, schedule.Day, "2011-12-28T09:00:00-10:00", "a", "b", "c"),
			"2011-12-28T09:00:00-10:00", "2012-01-01T00:00:00+14:00", `
a 12-28 09:00 -10 → 12-29 09:00 -10
b 12-29 09:00 -10 → 12-31 00:00 +14
c 12-31 00:00 +14 → 12-31 09:00 +14
a 12-31 09:00 +14 → 01-01 00:00 +14`},
		"turns before the anchor count backwards": {
			rotation(t, "UTC", 12, schedule.Hour, "2026-01-02T00:00:00Z", "a", "b", "c"),
			"2026-01-01T00:00:00Z", "2026-01-02T12:00:00Z", `
b 01-01 00:00 +00 → 01-01 12:00 +00
c 01-01 12:00 +00 → 01-02 00:00 +00
a 01-02 00:00 +00 → 01-02 12:00 +00`},
	} {
		t.Run(name, func(t *testing.T) {
			got := show(tt.s, tt.s.Final(at(t, tt.from), at(t, tt.to)))
			if got != strings.TrimSpace(tt.want) {
				t.Errorf("got\n%s\nwant%s", got, tt.want)
			}
		})
	}
	s := rotation(t, "America/Chicago", 1, schedule.Week, "2020-10-29T05:00:00Z", "a", "b")
	if got := s.Final(at(t, "2020-10-29T05:00:00Z"), at(t, "2020-11-12T00:00:00Z"))[0].End; !got.Equal(at(t, "2020-11-05T06:00:00Z")) {
		t.Errorf("the weekly turn ends at %s", got.UTC())
	}
}

func TestRestrictionsReachIntoTheNextDay(t *testing.T) {
	monday := schedule.Restriction{Weekly: true, Weekday: time.Monday, Start: 20 * 3600, Duration: 12 * 3600}
	s := build(t, schedule.Definition{Zone: "Europe/Paris", Layers: []schedule.Layer{{Members: []string{"a"},
		Rotation: schedule.Rotation{Every: 1, Unit: schedule.Day}, Anchor: at(t, "2026-01-01T00:00:00Z"), Restrictions: []schedule.Restriction{monday}}}})
	for moment, want := range map[string]bool{
		"2026-03-02T19:59:59+01:00": false, "2026-03-02T20:00:00+01:00": true,
		"2026-03-03T07:00:00+01:00": true, "2026-03-03T07:59:59+01:00": true, "2026-03-03T08:00:00+01:00": false,
		"2026-03-04T07:00:00+01:00": false,
	} {
		if _, on := s.At(at(t, moment)); on != want {
			t.Errorf("at %s on call: %v", moment, on)
		}
	}
	if gaps := s.Gaps(at(t, "2026-03-02T12:00:00+01:00"), at(t, "2026-03-03T12:00:00+01:00")); len(gaps) != 2 {
		t.Errorf("gaps: %v", gaps)
	}
}

func TestFinalIsNewestOverrideThenHighestLayerThenGap(t *testing.T) {
	office := schedule.Restriction{Start: 9 * 3600, Duration: 8 * 3600}
	daily := schedule.Rotation{Every: 1, Unit: schedule.Day}
	anchor := at(t, "2026-01-01T00:00:00Z")
	s := build(t, schedule.Definition{Zone: "UTC", Layers: []schedule.Layer{
		{Name: "base", Members: []string{"ada"}, Rotation: daily, Anchor: anchor, Until: at(t, "2026-01-02T20:00:00Z")},
		{Name: "office", Members: []string{"grace"}, Rotation: daily, Anchor: anchor, Restrictions: []schedule.Restriction{office}},
	}, Overrides: []schedule.Override{
		{ID: "1", Person: "linus", Start: at(t, "2026-01-02T08:00:00Z"), End: at(t, "2026-01-02T12:00:00Z")},
		{ID: "2", Person: "barbara", Start: at(t, "2026-01-02T10:00:00Z"), End: at(t, "2026-01-02T11:00:00Z")},
	}})
	got := show(s, s.Final(at(t, "2026-01-02T00:00:00Z"), at(t, "2026-01-03T00:00:00Z")))
	const want = `ada 01-02 00:00 +00 → 01-02 08:00 +00
linus 01-02 08:00 +00 → 01-02 10:00 +00
barbara 01-02 10:00 +00 → 01-02 11:00 +00
linus 01-02 11:00 +00 → 01-02 12:00 +00
grace 01-02 12:00 +00 → 01-02 17:00 +00
ada 01-02 17:00 +00 → 01-02 20:00 +00`
	if got != want {
		t.Errorf("got\n%s", got)
	}
	if c := s.Coverage(at(t, "2026-01-02T00:00:00Z"), at(t, "2026-01-03T00:00:00Z")); c < 0.833 || c > 0.834 {
		t.Errorf("coverage %v", c)
	}
	now := s.Now(at(t, "2026-01-02T10:30:00Z"))
	if now.On == nil || now.On.Person != "barbara" || now.On.Override != "2" || !now.On.Start.Equal(at(t, "2026-01-02T10:00:00Z")) || now.Next == nil || now.Next.Person != "linus" {
		t.Errorf("now: %+v next %+v", now.On, now.Next)
	}
	now = s.Now(at(t, "2026-01-02T21:00:00Z"))
	if now.On != nil || now.Next == nil || now.Next.Person != "grace" || !now.Next.Start.Equal(at(t, "2026-01-03T09:00:00Z")) {
		t.Errorf("in a gap: %+v", now)
	}
}

func TestNowLooksAsFarAsItMust(t *testing.T) {
	s := rotation(t, "UTC", 20, schedule.Week, "2026-01-01T00:00:00Z", "a", "b")
	now := s.Now(at(t, "2026-01-10T00:00:00Z"))
	if now.On.Person != "a" || !now.On.Start.Equal(at(t, "2026-01-01T00:00:00Z")) || !now.On.End.Equal(at(t, "2026-05-21T00:00:00Z")) || now.Next.Person != "b" {
		t.Errorf("%+v %+v", now.On, now.Next)
	}
	alone := rotation(t, "UTC", 1, schedule.Day, "2026-01-01T00:00:00Z", "a")
	if now := alone.Now(at(t, "2026-01-10T00:00:00Z")); now.On == nil || now.Next != nil {
		t.Errorf("alone: %+v", now)
	}
}

func TestRevisionsKeepWhoIsOnAndWhatWas(t *testing.T) {
	anchor := at(t, "2026-01-05T09:00:00+01:00")
	layer := func(members ...string) schedule.Layer {
		return schedule.Layer{Name: "weekly", Members: members, Rotation: schedule.Rotation{Every: 1, Unit: schedule.Week}, Anchor: anchor}
	}
	before := schedule.Definition{Zone: "Europe/Paris", Layers: []schedule.Layer{layer("ada", "grace")}}
	now := at(t, "2026-03-04T12:00:00+01:00")
	was := build(t, before)
	on, _ := was.At(now)
	from := at(t, "2026-01-01T00:00:00Z")

	added := before
	added.Layers = schedule.Revise(before, "Europe/Paris", []schedule.Layer{layer("linus", "ada", "barbara", "grace")}, now)
	is := build(t, added)
	if got, _ := is.At(now); got.Person != on.Person {
		t.Errorf("adding people moved who is on call from %s to %s", on.Person, got.Person)
	}
	if a, b := show(was, was.Final(from, now)), show(is, is.Final(from, now)); a != b {
		t.Errorf("history changed from\n%s\nto\n%s", a, b)
	}
	if handoff := is.Now(now).On.End; !handoff.Equal(was.Now(now).On.End) {
		t.Errorf("the handoff moved to %s", handoff)
	}

	removed := added
	removed.Layers = schedule.Revise(added, "Europe/Paris", []schedule.Layer{layer("linus", "barbara")}, now.Add(time.Hour))
	if got, _ := build(t, removed).At(now.Add(2 * time.Hour)); got.Person == on.Person || got.Person == "" {
		t.Errorf("after removing %s, %q is on call", on.Person, got.Person)
	}
	if a, b := show(is, is.Final(from, now.Add(time.Hour))), show(is, build(t, removed).Final(from, now.Add(time.Hour))); a != b {
		t.Errorf("history changed from\n%s\nto\n%s", a, b)
	}

	unchanged := schedule.Revise(added, "Europe/Paris", []schedule.Layer{layer("linus", "ada", "barbara", "grace")}, now.Add(48*time.Hour))
	if !slices.EqualFunc(unchanged, added.Layers, func(a, b schedule.Layer) bool {
		return slices.Equal(a.Members, b.Members) && a.From.Equal(b.From) && a.Offset == b.Offset && a.Until.Equal(b.Until)
	}) {
		t.Errorf("writing the same again changed\n%+v\nto\n%+v", added.Layers, unchanged)
	}

	moved := added
	moved.Zone = "America/New_York"
	moved.Layers = schedule.Revise(added, moved.Zone, []schedule.Layer{layer("linus", "ada", "barbara", "grace")}, now.Add(time.Hour))
	if a, b := show(is, is.Final(from, now)), show(is, build(t, moved).Final(from, now)); a != b {
		t.Errorf("another zone changed history from\n%s\nto\n%s", a, b)
	}
}

func TestSwap(t *testing.T) {
	s := rotation(t, "UTC", 1, schedule.Day, "2026-01-01T00:00:00Z", "a", "b")
	first := schedule.Span{Start: at(t, "2026-01-01T08:00:00Z"), End: at(t, "2026-01-02T00:00:00Z")}
	second := schedule.Span{Start: at(t, "2026-01-04T00:00:00Z"), End: at(t, "2026-01-05T00:00:00Z")}
	overrides, err := s.Swap(first, second)
	if err != nil || overrides[0].Person != "b" || !overrides[0].Start.Equal(first.Start) || overrides[1].Person != "a" || !overrides[1].End.Equal(second.End) {
		t.Errorf("%+v, %v", overrides, err)
	}
	for name, spans := range map[string][2]schedule.Span{
		"the same person": {first, {Start: at(t, "2026-01-03T00:00:00Z"), End: at(t, "2026-01-04T00:00:00Z")}},
		"two people":      {first, {Start: at(t, "2026-01-03T00:00:00Z"), End: at(t, "2026-01-05T00:00:00Z")}},
		"no time":         {first, {Start: first.End, End: first.End}},
	} {
		if _, err := s.Swap(spans[0], spans[1]); err == nil {
			t.Errorf("%s: swapped", name)
		}
	}
}

func TestFairness(t *testing.T) {
	s := rotation(t, "UTC", 1, schedule.Week, "2026-01-05T00:00:00Z", "a", "b") // a Monday
	pages := []schedule.Paged{{Person: "a", At: at(t, "2026-01-06T02:00:00Z")}, {Person: "a", At: at(t, "2026-01-06T12:00:00Z")}, {Person: "c", At: at(t, "2026-01-06T12:00:00Z")}}
	shares := schedule.Fairness(s.Final(at(t, "2026-01-05T00:00:00Z"), at(t, "2026-01-19T00:00:00Z")), pages, func(string) *time.Location { return time.UTC })
	if len(shares) != 3 {
		t.Fatalf("%+v", shares)
	}
	a := shares[0]
	// Monday 00:00 to Monday 00:00: six whole nights, the last six hours of the first, the first two hours of the last.
	if want := (schedule.Share{Person: "a", Shifts: 1, Hours: 168, NightHours: 56, Nights: 8, WeekendHours: 48, Weekends: 1, Pages: 2, NightPages: 1}); a != want {
		t.Errorf("got %+v, want %+v", a, want)
	}
	if shares[2].Person != "c" || shares[2].Pages != 1 || shares[2].Hours != 0 {
		t.Errorf("%+v", shares[2])
	}
}

func TestCheck(t *testing.T) {
	good := schedule.Layer{Members: []string{"a"}, Rotation: schedule.Rotation{Every: 1, Unit: schedule.Day}, Anchor: at(t, "2026-01-01T00:00:00Z")}
	change := func(f func(*schedule.Layer)) schedule.Definition {
		l := good
		f(&l)
		return schedule.Definition{Zone: "UTC", Layers: []schedule.Layer{l}}
	}
	for want, d := range map[string]schedule.Definition{
		`timeZone: "Mars" is not a time zone`:                              {Zone: "Mars"},
		`timeZone: "" is not a time zone`:                                  {},
		`timeZone: "Local" is not a time zone`:                             {Zone: "Local"},
		"layers[0].members: the layer has no members":                      change(func(l *schedule.Layer) { l.Members = nil }),
		`layers[0].rotation: a rotation of 0 "day" is not possible`:        change(func(l *schedule.Layer) { l.Rotation.Every = 0 }),
		`layers[0].rotation: a rotation of 1 "moon" is not possible`:       change(func(l *schedule.Layer) { l.Rotation.Unit = "moon" }),
		"layers[0].rotation: turns of 5m0s are not possible":               change(func(l *schedule.Layer) { l.Rotation = schedule.Rotation{Every: 5, Unit: schedule.Minute} }),
		"layers[0].anchor: it is not said when turns change":               change(func(l *schedule.Layer) { l.Anchor = time.Time{} }),
		"layers[0].until: the layer ends at":                               change(func(l *schedule.Layer) { l.From, l.Until = l.Anchor, l.Anchor }),
		"layers[0].restrictions[0]: the restriction lasts 48h0m0s":         change(func(l *schedule.Layer) { l.Restrictions = []schedule.Restriction{{Duration: 48 * 3600}} }),
		"layers[0].restrictions[0]: the restriction does not start within": change(func(l *schedule.Layer) { l.Restrictions = []schedule.Restriction{{Start: -1, Duration: 1}} }),
		"overrides[0].end: the override ends at":                           {Zone: "UTC", Overrides: []schedule.Override{{Person: "a"}}},
	} {
		var all []string
		for _, f := range d.Check() {
			all = append(all, f.Field+": "+f.Message)
		}
		if !slices.ContainsFunc(all, func(s string) bool { return strings.HasPrefix(s, want) }) {
			t.Errorf("want %s, got %q", want, all)
		}
		if _, err := schedule.New(d); err == nil {
			t.Errorf("%s: accepted", want)
		}
	}
}

func TestANightBelongsToTheDayOnWhichItBegins(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for moment, want := range map[string]string{
		"2026-03-04T22:00:00+01:00": "2026-03-04", "2026-03-04T23:59:59+01:00": "2026-03-04", "2026-03-05T00:00:00+01:00": "2026-03-04",
		"2026-03-05T05:59:59+01:00": "2026-03-04", "2026-03-05T06:00:00+01:00": "", "2026-03-05T21:59:59+01:00": "",
	} {
		got := ""
		if day, ok := schedule.Night(at(t, moment), paris); ok {
			got = day.Format(time.DateOnly)
		}
		if got != want {
			t.Errorf("%s is the night of %q, want %q", moment, got, want)
		}
	}
}
