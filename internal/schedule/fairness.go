package schedule

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// Share is how much of the load one person carried.
type Share struct {
	Person       string  `json:"person"`
	Shifts       int     `json:"shifts"`
	Hours        float64 `json:"hours"`
	NightHours   float64 `json:"nightHours" doc:"between 22:00 and 06:00 where the person lives"`
	Nights       int     `json:"nights" doc:"in which they were on call for an hour or more"`
	WeekendHours float64 `json:"weekendHours" doc:"on Saturday and Sunday where the person lives"`
	Weekends     int     `json:"weekends" doc:"in which they were on call for an hour or more"`
	Pages        int     `json:"pages" doc:"times they were paged, over however many channels at once"`
	NightPages   int     `json:"nightPages"`
}

// Paged is one time somebody was paged.
type Paged struct {
	Person string
	At     time.Time // when it was sent
	Due    time.Time // when it was decided, and whoever is on call was looked up
}

// atLeast is how much of a night or weekend counts as one.
const atLeast = time.Hour

// Fairness adds up the shifts and pages of each person, the most loaded first. zone is where a person lives.
func Fairness(shifts []Shift, pages []Paged, zone func(person string) *time.Location) []Share {
	all := map[string]*load{}
	of := func(person string) *load { return share(all, person, zone) }
	for _, s := range byPerson(shifts) {
		of(s.Person).shift(s.Span)
	}
	for _, p := range pages {
		l := of(p.Person)
		l.Pages++
		if l.zone.night(p.At) {
			l.NightPages++
		}
	}
	list := make([]Share, 0, len(all))
	for _, l := range all {
		list = append(list, l.total())
	}
	slices.SortFunc(list, func(a, b Share) int {
		return cmp.Or(cmp.Compare(b.Hours, a.Hours), strings.Compare(a.Person, b.Person))
	})
	return list
}

// load is what a person carried, by night and weekend.
type load struct {
	Share
	zone     zone
	nights   map[int64]time.Duration // by the day on which the night begins
	weekends map[int64]time.Duration // by its Saturday
}

func share(all map[string]*load, person string, zoneOf func(string) *time.Location) *load {
	if all[person] == nil {
		all[person] = &load{Share: Share{Person: person}, zone: zone{zoneOf(person)},
			nights: map[int64]time.Duration{}, weekends: map[int64]time.Duration{}}
	}
	return all[person]
}

// shift adds one shift: a night goes from 22:00 to 06:00, a weekend from Saturday 00:00 to Monday 00:00.
func (l *load) shift(s Span) {
	l.Shifts++
	l.Hours += s.End.Sub(s.Start).Hours()
	first, last := floorDiv(l.zone.wall(s.Start), day)-1, floorDiv(l.zone.wall(s.End), day)
	for d := first; d <= last; d++ {
		if span, ok := meet(s, Span{l.zone.instant(d*day + 22*3600), l.zone.instant((d+1)*day + 6*3600)}); ok {
			l.nights[d] += span.End.Sub(span.Start)
		}
		weekday := time.Weekday(floorMod(d+4, 7))
		if weekday != time.Saturday && weekday != time.Sunday {
			continue
		}
		if span, ok := meet(s, Span{l.zone.instant(d * day), l.zone.instant((d + 1) * day)}); ok {
			if weekday == time.Sunday {
				l.weekends[d-1] += span.End.Sub(span.Start)
			} else {
				l.weekends[d] += span.End.Sub(span.Start)
			}
		}
	}
}

func (l *load) total() Share {
	add := func(spans map[int64]time.Duration, hours *float64, count *int) {
		for _, d := range spans {
			*hours += d.Hours()
			if d >= atLeast {
				*count++
			}
		}
	}
	add(l.nights, &l.NightHours, &l.Nights)
	add(l.weekends, &l.WeekendHours, &l.Weekends)
	return l.Share
}

func (z zone) night(t time.Time) bool {
	hour := floorMod(z.wall(t), day) / 3600
	return hour >= 22 || hour < 6
}

// Night is the day on which the night of t begins, at 00:00 UTC of that date; false if it is not night where loc is.
func Night(t time.Time, loc *time.Location) (time.Time, bool) {
	z := zone{loc}
	if !z.night(t) {
		return time.Time{}, false
	}
	return time.Unix(floorDiv(z.wall(t)-6*3600, day)*day, 0).UTC(), true
}
