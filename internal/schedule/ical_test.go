package schedule_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/daytwo-dev/daytwo/internal/schedule"
)

func TestFeedReadsBack(t *testing.T) {
	s := rotation(t, "Europe/Paris", 1, schedule.Week, "2026-03-02T09:00:00+01:00", "ada", "grace")
	from, to := at(t, "2026-03-01T00:00:00Z"), at(t, "2026-06-01T00:00:00Z")
	entries := schedule.Entries("PABC", "Payments; first, ünïcode "+strings.Repeat("längst ", 20), "https://daytwo.example/oncall", s.Final(from, to),
		func(p string) (string, string) { return strings.ToUpper(p), p + "@example.com" })
	feed := schedule.ICal("Payments", entries, from)
	for line := range bytes.SplitSeq(feed, []byte("\r\n")) {
		if len(line) > 75 || !utf8.Valid(line) {
			t.Errorf("line of %d bytes: %q", len(line), line)
		}
	}
	events, err := schedule.ParseICal(t.Context(), feed, time.UTC, schedule.Span{Start: from, End: to})
	if err != nil || len(events) != len(entries) {
		t.Fatalf("%d events of %d, %v", len(events), len(entries), err)
	}
	for i, e := range events {
		want := entries[i]
		if !e.Start.Equal(want.Start) || !e.End.Equal(want.End) || e.Person != want.Person || e.Summary != want.Summary || e.UID != want.UID || e.Emails[0] != want.Email {
			t.Errorf("event %d: %+v, want %+v", i, e, want)
		}
	}
}

func TestParseICal(t *testing.T) {
	paris, err := time.LoadLocation("Europe/Paris")
	if err != nil {
		t.Fatal(err)
	}
	within := schedule.Span{Start: at(t, "2026-03-01T00:00:00Z"), End: at(t, "2026-05-01T00:00:00Z")}
	for name, tt := range map[string]struct{ event, want string }{
		"utc":        {"DTSTART:20260302T080000Z\nDTEND:20260302T160000Z", "03-02T09:00 → 03-02T17:00"},
		"zone":       {"DTSTART;TZID=America/New_York:20260302T080000\nDURATION:PT8H", "03-02T14:00 → 03-02T22:00"},
		"long zone":  {"DTSTART;TZID=/x.example/2009/America/New_York:20260302T080000\nDURATION:PT8H", "03-02T14:00 → 03-02T22:00"},
		"floating":   {"DTSTART:20260302T080000\nDURATION:PT8H", "03-02T08:00 → 03-02T16:00"},
		"whole day":  {"DTSTART;VALUE=DATE:20260329", "03-29T00:00 → 03-30T00:00"},
		"days":       {"DTSTART;VALUE=DATE:20260328\nDTEND;VALUE=DATE:20260331", "03-28T00:00 → 03-31T00:00"},
		"wall day":   {"DTSTART;TZID=Europe/Paris:20260328T120000\nDURATION:P1D", "03-28T12:00 → 03-29T12:00"},
		"outside":    {"DTSTART:20250302T080000Z\nDTEND:20250302T160000Z", ""},
		"cancelled":  {"DTSTART:20260302T080000Z\nDTEND:20260302T160000Z\nSTATUS:CANCELLED", ""},
		"daily":      {"DTSTART:20260302T080000\nDURATION:PT1H\nRRULE:FREQ=DAILY;INTERVAL=3;COUNT=2", "03-02T08:00 → 03-02T09:00, 03-05T08:00 → 03-05T09:00"},
		"across dst": {"DTSTART;TZID=Europe/Paris:20260322T090000\nDTEND;TZID=Europe/Paris:20260329T090000\nRRULE:FREQ=WEEKLY;COUNT=2", "03-22T09:00 → 03-29T09:00, 03-29T09:00 → 04-05T09:00"},
		"weekdays":   {"DTSTART:20260304T080000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;BYDAY=MO,WE;UNTIL=20260311", "03-04T08:00 → 03-04T09:00, 03-09T08:00 → 03-09T09:00, 03-11T08:00 → 03-11T09:00"},
		"fortnight":  {"DTSTART:20260302T080000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;COUNT=3", "03-02T08:00 → 03-02T09:00, 03-08T08:00 → 03-08T09:00, 03-16T08:00 → 03-16T09:00"},
		"except":     {"DTSTART:20260302T080000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3\nEXDATE:20260303T080000", "03-02T08:00 → 03-02T09:00, 03-04T08:00 → 03-04T09:00"},
		"replaced": {"DTSTART:20260302T080000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=2\nEND:VEVENT\nBEGIN:VEVENT\nUID:x\nRECURRENCE-ID:20260303T080000\nDTSTART:20260303T100000\nDURATION:PT2H",
			"03-02T08:00 → 03-02T09:00, 03-03T10:00 → 03-03T12:00"},
		"alarm":       {"DTSTART:20260302T080000\nDURATION:PT1H\nBEGIN:VALARM\nDURATION:PT9H\nEND:VALARM", "03-02T08:00 → 03-02T09:00"},
		"monthly":     {"DTSTART:20260302T080000\nRRULE:FREQ=MONTHLY", "line 5 of the calendar: FREQ=MONTHLY is not understood"},
		"bad zone":    {"DTSTART;TZID=Mars:20260302T080000", `line 4 of the calendar: "Mars" is not a time zone`},
		"bad time":    {"DTSTART:soon", `line 4 of the calendar: "soon" is not a time from 1970 on`},
		"no start":    {"SUMMARY:x", "line 2 of the calendar: the event has no start"},
		"ends before": {"DTSTART:20260302T080000Z\nDTEND:20260302T080000Z", "line 2 of the calendar: the event ends at"},
	} {
		t.Run(name, func(t *testing.T) {
			text := "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:x\n" + tt.event + "\nEND:VEVENT\nEND:VCALENDAR\n"
			events, err := schedule.ParseICal(t.Context(), []byte(text), paris, within)
			var got []string
			for _, e := range events {
				const form = "01-02T15:04"
				got = append(got, e.Start.In(paris).Format(form)+" → "+e.End.In(paris).Format(form))
			}
			if err != nil {
				got = []string{err.Error()}
			}
			if all := strings.Join(got, ", "); all != tt.want && (err == nil || !strings.HasPrefix(all, tt.want)) {
				t.Errorf("got %s\nwant %s", all, tt.want)
			}
		})
	}
	for _, text := range []string{"", "hello", "BEGIN:VCALENDAR\nBEGIN:VEVENT\n", "BEGIN:VCALENDAR\nEND:VEVENT\n"} {
		if _, err := schedule.ParseICal(t.Context(), []byte(text), paris, within); err == nil {
			t.Errorf("%q is no calendar", text)
		}
	}
}

func FuzzICal(f *testing.F) {
	f.Add("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:x\r\nDTSTART;TZID=Europe/Paris:20260302T080000\r\nDTEND;TZID=Europe/Paris:20260302T160000\r\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU;UNTIL=20260401T000000Z\r\nEXDATE:20260303T070000Z\r\nSUMMARY:ada\\, and\r\n  grace\r\nATTENDEE;CN=\"Ada: P\":mailto:ada@example.com\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
	f.Add("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20260302\nDURATION:P1DT2H\nRRULE:FREQ=DAILY;INTERVAL=2;COUNT=9\nEND:VEVENT\nEND:VCALENDAR")
	f.Add("BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:99991231T235959Z\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260101\nEND:VEVENT\nEND:VCALENDAR")
	within := schedule.Span{Start: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), End: time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC)}
	f.Fuzz(func(t *testing.T, text string) {
		events, err := schedule.ParseICal(t.Context(), []byte(text), time.UTC, within)
		if err != nil {
			return
		}
		// What was read, written as a feed, reads back to the same spans and words.
		var entries []schedule.Entry
		for i, e := range events {
			if !e.Start.Before(e.End) || !e.Start.Before(within.End) || !e.End.After(within.Start) {
				t.Fatalf("event %d lies outside: %+v", i, e)
			}
			entries = append(entries, schedule.Entry{UID: fmt.Sprint(i), Summary: e.Summary, Person: "p", Span: e.Span})
		}
		again, err := schedule.ParseICal(t.Context(), schedule.ICal("x", entries, within.Start), time.UTC, within)
		if err != nil || len(again) != len(events) {
			t.Fatalf("%d events became %d, %v", len(events), len(again), err)
		}
		for i, e := range again {
			same := strings.Map(func(r rune) rune {
				if r < ' ' && r != '\n' || r == 0x7f {
					return -1
				}
				return r
			}, strings.ReplaceAll(events[i].Summary, "\r\n", "\n"))
			if e.Start.Unix() != events[i].Start.Unix() || e.End.Unix() != events[i].End.Unix() || e.Summary != same {
				t.Fatalf("event %d became %+v, was %+v", i, e, events[i])
			}
		}
	})
}
