package schedule_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/daytwo-dev/daytwo/internal/schedule"
)

// model walks minute by minute with a clock that never goes back: it shows the latest time that the clock on the wall has shown. A
// handoff, and the begin and end of a restriction, happen at the first minute at which that clock has reached their time.
type model struct {
	zone   *time.Location
	latest int64 // minutes on the wall clock
}

func (m *model) tick(t time.Time) int64 {
	l := t.In(m.zone)
	shown := time.Date(l.Year(), l.Month(), l.Day(), l.Hour(), l.Minute(), 0, 0, time.UTC).Unix() / 60
	m.latest = max(m.latest, shown)
	return m.latest
}

func floor(a, b int64) int64 {
	for n := a / b; ; n-- {
		if n*b <= a {
			return n
		}
	}
}

// on is who a layer puts on call when the clock shows a time; empty: nobody.
func (m *model) on(l schedule.Layer, t time.Time, shown int64) string {
	if !l.From.IsZero() && t.Before(l.From) || !l.Until.IsZero() && !t.Before(l.Until) {
		return ""
	}
	open := len(l.Restrictions) == 0
	today := floor(shown, 24*60)
	for _, r := range l.Restrictions {
		for d := today - 8; d <= today; d++ {
			begin := d*24*60 + int64(r.Start)/60
			weekday := time.Unix(d*24*3600, 0).UTC().Weekday()
			open = open || (!r.Weekly || weekday == r.Weekday) && shown >= begin && shown < begin+int64(r.Duration)/60
		}
	}
	if !open {
		return ""
	}
	a := l.Anchor.In(m.zone)
	anchor := time.Date(a.Year(), a.Month(), a.Day(), a.Hour(), a.Minute(), 0, 0, time.UTC).Unix() / 60
	n := floor(shown-anchor, int64(l.Rotation.Length()/time.Minute)) + int64(l.Offset)
	size := int64(len(l.Members))
	return l.Members[((n%size)+size)%size]
}

var zones = []string{"America/Chicago", "Europe/Paris", "Australia/Lord_Howe", "Pacific/Apia", "Asia/Kathmandu", "UTC", "Africa/Casablanca",
	"America/St_Johns", "Pacific/Chatham", "Asia/Tehran", "America/Sao_Paulo", "Antarctica/Troll"}

// transitions are dates around which clocks change in some of these zones.
var transitions = []string{"2020-03-08", "2020-11-01", "2020-10-04", "2021-04-04", "2011-12-30", "2026-03-29", "2026-10-25", "2026-02-16",
	"2018-11-04", "2022-03-21", "2022-09-21", "2025-04-06", "2026-07-01"}

func drawLayer(t *rapid.T, label string, start time.Time) schedule.Layer {
	minutes := func(label string, lo, hi int) time.Duration {
		return time.Duration(rapid.IntRange(lo, hi).Draw(t, label)) * time.Minute
	}
	l := schedule.Layer{
		Name:     label,
		Members:  []string{"a", "b", "c", "d"}[:rapid.IntRange(1, 4).Draw(t, label+" members")],
		Rotation: rapid.SampledFrom([]schedule.Rotation{{15, schedule.Minute}, {45, schedule.Minute}, {1, schedule.Hour}, {7, schedule.Hour}, {12, schedule.Hour}, {1, schedule.Day}, {2, schedule.Day}, {1, schedule.Week}}).Draw(t, label+" rotation"),
		Anchor:   start.Add(minutes(label+" anchor", -20*24*60, 20*24*60)),
		Offset:   rapid.IntRange(0, 5).Draw(t, label+" offset"),
	}
	for i := range rapid.IntRange(0, 2).Draw(t, label+" restrictions") {
		r := schedule.Restriction{Weekly: rapid.Bool().Draw(t, "weekly"), Start: 60 * rapid.IntRange(0, 24*60-1).Draw(t, fmt.Sprint("start ", i))}
		longest := 24 * 60
		if r.Weekly {
			r.Weekday, longest = time.Weekday(rapid.IntRange(0, 6).Draw(t, "weekday")), 7*24*60
		}
		r.Duration = 60 * rapid.IntRange(1, longest).Draw(t, "duration")
		l.Restrictions = append(l.Restrictions, r)
	}
	if rapid.IntRange(0, 3).Draw(t, label+" begins") == 0 {
		l.From = start.Add(minutes(label+" from", -60, 48*60))
	}
	if rapid.IntRange(0, 3).Draw(t, label+" ends") == 0 {
		l.Until = start.Add(minutes(label+" until", 49*60, 100*60))
	}
	return l
}

func TestFinalAgreesWithWalkingMinuteByMinute(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := schedule.Definition{Zone: rapid.SampledFrom(zones).Draw(t, "zone")}
		zone, err := time.LoadLocation(d.Zone)
		if err != nil {
			t.Skip("no zone ", d.Zone)
		}
		start, _ := time.Parse(time.DateOnly, rapid.SampledFrom(transitions).Draw(t, "around"))
		start = start.Add(-36*time.Hour + time.Duration(rapid.IntRange(0, 600).Draw(t, "from"))*time.Minute)
		end := start.Add(80 * time.Hour)
		for i := range rapid.IntRange(0, 3).Draw(t, "layers") {
			d.Layers = append(d.Layers, drawLayer(t, fmt.Sprint("layer ", i), start))
		}
		for i := range rapid.IntRange(0, 3).Draw(t, "overrides") {
			from := start.Add(time.Duration(rapid.IntRange(-300, 80*60).Draw(t, "override from")) * time.Minute)
			d.Overrides = append(d.Overrides, schedule.Override{ID: fmt.Sprint(i), Person: fmt.Sprint("o", i), Start: from,
				End: from.Add(time.Duration(rapid.IntRange(1, 2000).Draw(t, "override for")) * time.Minute)})
		}
		s, err := schedule.New(d)
		if err != nil {
			t.Fatal(err)
		}
		shifts, gaps := s.Final(start, end), s.Gaps(start, end)
		m := &model{zone: zone}
		for at := start.Add(-48 * time.Hour); at.Before(start); at = at.Add(time.Minute) {
			m.tick(at)
		}
		si, gi := 0, 0
		for at := start; at.Before(end); at = at.Add(time.Minute) {
			shown := m.tick(at)
			want := ""
			for _, l := range d.Layers {
				if on := m.on(l, at, shown); on != "" {
					want = on
				}
			}
			for _, o := range d.Overrides {
				if !at.Before(o.Start) && at.Before(o.End) {
					want = o.Person
				}
			}
			for si < len(shifts) && !at.Before(shifts[si].End) {
				si++
			}
			for gi < len(gaps) && !at.Before(gaps[gi].End) {
				gi++
			}
			got := ""
			if si < len(shifts) && shifts[si].Contains(at) {
				got = shifts[si].Person
			}
			if gap := gi < len(gaps) && gaps[gi].Contains(at); got != want || gap != (want == "") {
				t.Fatalf("at %s (%s): %q is on call (gap: %v), walking says %q", at, at.In(zone), got, gap, want)
			}
		}
	})
}

func TestRevisionsNeverChangeWhatWas(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := schedule.Definition{Zone: rapid.SampledFrom(zones).Draw(t, "zone")}
		start, _ := time.Parse(time.DateOnly, rapid.SampledFrom(transitions).Draw(t, "around"))
		draw := func(label string) (list []schedule.Layer) {
			for i := range rapid.IntRange(0, 3).Draw(t, label) {
				l := drawLayer(t, fmt.Sprint("layer ", i), start)
				list = append(list, l)
			}
			return list
		}
		d.Layers = draw("layers")
		now := start
		for revision := range rapid.IntRange(1, 4).Draw(t, "revisions") {
			before, err := schedule.New(d)
			if err != nil {
				t.Fatal(err)
			}
			zone := rapid.SampledFrom(zones).Draw(t, "next zone")
			wanted := draw(fmt.Sprint("revision ", revision))
			next := schedule.Definition{Zone: zone, Layers: schedule.Revise(d, zone, wanted, now)}
			after, err := schedule.New(next)
			if err != nil {
				t.Fatal(err)
			}
			from := start.Add(-72 * time.Hour)
			// Layers that were replaced by others of the same name tell the same story.
			if a, b := fmt.Sprint(people(before.Final(from, now))), fmt.Sprint(people(after.Final(from, now))); a != b {
				t.Fatalf("the past changed from\n%s\nto\n%s", a, b)
			}
			if again := schedule.Revise(next, zone, wanted, now.Add(time.Minute)); len(again) != len(next.Layers) {
				t.Fatalf("writing the same again made %d layers of %d", len(again), len(next.Layers))
			}
			d, now = next, now.Add(time.Duration(rapid.IntRange(1, 2000).Draw(t, "later"))*time.Minute)
		}
	})
}

// people are shifts without what says so, joined.
func people(shifts []schedule.Shift) (list []schedule.Shift) {
	for _, s := range shifts {
		if n := len(list); n > 0 && list[n-1].Person == s.Person && list[n-1].End.Equal(s.Start) {
			list[n-1].End = s.End
			continue
		}
		list = append(list, schedule.Shift{Person: s.Person, Span: schedule.Span{Start: s.Start.UTC(), End: s.End.UTC()}})
	}
	if n := len(list); n > 0 {
		list[n-1].End = list[n-1].End.UTC()
	}
	return list
}
