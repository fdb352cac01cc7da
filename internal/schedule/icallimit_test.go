package schedule_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/schedule"
)

// events is a calendar of n events of the same lines.
func events(n int, lines string) string {
	return "BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:VEVENT\n"+lines+"\nEND:VEVENT\n", n) + "END:VCALENDAR\n"
}

// What one file may make daytwo do is bounded by the file, not by what its rules stand for.
func TestACalendarIsReadWithinLimits(t *testing.T) {
	within := schedule.Span{Start: at(t, "2026-03-01T00:00:00Z"), End: at(t, "2027-03-02T00:00:00Z")}
	for name, tt := range map[string]struct {
		text string
		most int // occurrences looked at
		want string
	}{
		"rules that ended":        {events(10_000, "DTSTART:19700101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;UNTIL=20260101"), 10_000, ""},
		"rules that counted down": {events(5_000, "DTSTART:19700101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;BYDAY=MO,TU;COUNT=900"), 0, ""},
		"a rule since long":       {events(1, "DTSTART:19700101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY"), 385, ""},
		"rules that give nothing": {events(5_000, "DTSTART:19700101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY;INTERVAL=7;BYDAY=MO"), 0, ""},
		"rules of no time":        {events(5_000, "DTSTART:19700101T000000Z\nRRULE:FREQ=DAILY"), 100_001, "the rules of the calendar give more than 100000 shifts"},
		"more shifts than one":    {events(100, "DTSTART:19700101T000000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY"), 11_000, "the calendar has more than 10000 shifts"},
		"long shifts": {events(1, "DTSTART:19700101T000000Z\nDURATION:P9999D\nRRULE:FREQ=DAILY"), 10_030,
			"the calendar has more than 10000 shifts"},
		"exceptions": {events(1, "DTSTART:20260302T080000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\nEXDATE:20260303"+strings.Repeat(",20260303", 10_000)), 0,
			"line 6: the calendar excepts more than 10000 dates"},
		"exceptions of all events": {events(9_000, "EXDATE:20260303,20260304\nDTSTART:20260302T080000Z\nDURATION:PT1H"), 0, "the calendar excepts more than 10000 dates"},
		"a long name of a zone":    {events(1, "DTSTART;TZID="+strings.Repeat("a/", 100_000)+":20260302T080000"), 0, "is not a time zone"},
		"names of zones":           {namedZones(101), 0, "line 406: the calendar names more than 100 time zones"},
		"too large":                {events(1, "SUMMARY:"+strings.Repeat("x", schedule.MaxCalendar)), 0, "the calendar is larger than 3 MiB"},
	} {
		looked, err := schedule.Looked(t.Context(), tt.text, time.UTC, within)
		if looked > tt.most || (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: looked at %d occurrences, at most %d wanted; %v, want %q", name, looked, tt.most, err, tt.want)
		}
		if err != nil && problem.CodeOf(err) != problem.TooLarge && problem.CodeOf(err) != problem.Invalid {
			t.Errorf("%s: not the caller's mistake: %v", name, err)
		}
	}
}

// namedZones is a calendar that names n zones.
func namedZones(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "BEGIN:VEVENT\nDTSTART;TZID=/x/%d/Europe/Paris:20260302T080000\nDURATION:PT1H\nEND:VEVENT\n", i)
	}
	return "BEGIN:VCALENDAR\nX-WR-CALNAME:x\n\n\n" + b.String() + "END:VCALENDAR\n"
}

func TestReadingACalendarStopsWhenNobodyWaits(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := schedule.ParseICal(ctx, []byte(events(3, "DTSTART:20260302T080000Z\nDURATION:PT1H")), time.UTC, schedule.Span{}); !errors.Is(err, context.Canceled) {
		t.Errorf("it was read to its end: %v", err)
	}
}

// A line may be folded at every byte.
func TestALineOfManyParts(t *testing.T) {
	text := events(1, "DTSTART:20260302T080000Z\nDURATION:PT1H\nSUMMARY:"+strings.Repeat("x", 10)+strings.Repeat("\n y", 500_000))
	got, err := schedule.ParseICal(t.Context(), []byte(text), time.UTC, schedule.Span{Start: at(t, "2026-03-01T00:00:00Z"), End: at(t, "2026-04-01T00:00:00Z")})
	if err != nil || len(got) != 1 || got[0].Summary != strings.Repeat("x", 10)+strings.Repeat("y", 1014) {
		t.Errorf("%d events, %v", len(got), err)
	}
}

// What is left out before the span begins changes nothing within it: a rule that was followed from its start says the same.
func TestSkippingChangesNoOccurrence(t *testing.T) {
	from, to := at(t, "2026-03-01T00:00:00Z"), at(t, "2026-06-01T00:00:00Z")
	ever := schedule.Span{Start: at(t, "1999-01-01T00:00:00Z"), End: to}
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	for _, freq := range []string{"DAILY", "WEEKLY"} {
		for _, interval := range []int{1, 2, 3, 7, 10} {
			for _, days := range []string{"", ";BYDAY=TH", ";BYDAY=SU,WE,MO", ";BYDAY=SA,SU;WKST=SU"} {
				for _, end := range []string{"", ";COUNT=3", ";COUNT=150", ";COUNT=1379", ";UNTIL=20260415", ";UNTIL=20260311T090000Z"} {
					for _, length := range []string{"DURATION:PT1H", "DURATION:P1D", "DURATION:P40D", "DTEND:20220310T080000"} {
						rule := fmt.Sprintf("FREQ=%s;INTERVAL=%d%s%s", freq, interval, days, end)
						text := []byte(events(1, "DTSTART:20220303T080000\n"+length+"\nRRULE:"+rule))
						all, err := schedule.ParseICal(t.Context(), text, paris, ever)
						if err != nil {
							t.Fatal(err)
						}
						var want []schedule.Span
						for _, e := range all {
							if e.Start.Before(to) && e.End.After(from) {
								want = append(want, e.Span)
							}
						}
						got, err := schedule.ParseICal(t.Context(), text, paris, schedule.Span{Start: from, End: to})
						if err != nil || len(got) != len(want) {
							t.Fatalf("%s, %s: %d of %d, %v", rule, length, len(got), len(want), err)
						}
						for i, e := range got {
							if !e.Start.Equal(want[i].Start) || !e.End.Equal(want[i].End) {
								t.Errorf("%s, %s: %v, want %v", rule, length, e.Span, want[i])
							}
						}
					}
				}
			}
		}
	}
}
