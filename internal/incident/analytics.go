package incident

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/schedule"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// Analytics is how the incidents of a span of time went. An incident belongs to the span in which it opened; one that was merged into
// another counts there alone. A page belongs to the span in which it was sent first.
type Analytics struct {
	From     time.Time   `json:"from"`
	To       time.Time   `json:"to"`
	All      Numbers     `json:"all"`
	Services []OfService `json:"services" doc:"the one with most pages first"`
	People   []OfPerson  `json:"people" doc:"whoever was paged most first"`
	Nights   []OfNight   `json:"nights" doc:"nights (22:00 to 06:00 where the person lives) in which somebody was paged, the newest first"`
	More     bool        `json:"more,omitempty" doc:"there were more incidents or pages than are counted: the newest are"`
}

// Numbers are counts and times of some incidents.
type Numbers struct {
	Opened        int      `json:"opened"`
	Acknowledged  int      `json:"acknowledged" doc:"by a person at some time, also those that paged again later"`
	BySender      int      `json:"bySender" doc:"acknowledged by the system that sent their alerts, and by no person: they count in no time to acknowledge"`
	Resolved      int      `json:"resolved"`
	AckMean       *float64 `json:"ackMean,omitempty" doc:"seconds from the opening to the first acknowledgement, of those acknowledged; absent: none was"`
	AckMedian     *float64 `json:"ackMedian,omitempty"`
	ResolveMean   *float64 `json:"resolveMean,omitempty" doc:"seconds from the opening to the end, of those resolved; absent: none was"`
	ResolveMedian *float64 `json:"resolveMedian,omitempty"`
	Alerts        int      `json:"alerts"`
	Pages         int      `json:"pages" doc:"times somebody was paged, over however many channels at once"`
	Unacted       int      `json:"unacted" doc:"resolved, and nobody had done anything: noise"`
	UnactedAlerts int      `json:"unactedAlerts"`
	UnactedPages  int      `json:"unactedPages"`
}

// OfService are the numbers of one service.
type OfService struct {
	Service string `json:"service" doc:"empty: incidents without one"`
	Numbers
}

// OfPerson is how often somebody was paged.
type OfPerson struct {
	Person     string `json:"person"`
	Pages      int    `json:"pages"`
	NightPages int    `json:"nightPages" doc:"at night, where they live"`
	Nights     int    `json:"nights" doc:"nights with at least one page"`
	WorstNight int    `json:"worstNight" doc:"pages of the worst of them"`
	Incidents  int    `json:"incidents" doc:"that they were paged for"`
}

// OfNight is one night of one person.
type OfNight struct {
	Night  string `json:"night" doc:"the day on which it began"`
	Person string `json:"person"`
	Pages  int    `json:"pages"`
}

// Bounds of what one request counts.
const (
	maxAnalysed = 20_000 // incidents, and pages
	maxNights   = 100    // shown

	longestTried = keepTrying + time.Hour // from the making of a page to its first success
)

// course is how one incident went.
type course struct {
	id, service               string
	opened, acked, resolved   time.Time // zero: not
	deeds, alerts, timesPaged int
	bySender                  int // acknowledgements by senders
}

// paging is one time somebody was paged.
type paging struct {
	incident, service, person string
	kind                      string // empty: by the escalation
	step                      int    // of it, over all cycles
	due, at                   time.Time
}

// Analyse adds up the incidents and pages of a span, of one service or of all.
func (s *Incidents) Analyse(ctx context.Context, within event.Range, service string) (a Analytics, err error) {
	var courses []course
	var pages []paging
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		if courses, err = readCourses(ctx, tx, within, service); err != nil {
			return err
		}
		pages, err = readPagings(ctx, tx, within, service)
		return err
	})
	if err != nil {
		return a, err
	}
	a = analyse(courses[:min(len(courses), maxAnalysed)], pages[:min(len(pages), maxAnalysed)], s.catalog.Current().ZoneOf)
	a.From, a.To, a.More = within.From, within.To, len(courses) > maxAnalysed || len(pages) > maxAnalysed
	return a, nil
}

// Paged are the times within a span that somebody was paged by a step of an escalation that asks a schedule, the newest first, for the
// fairness of schedules. A step may ask several, and name people beside them: who was on call then tells whom this one meant.
func (s *Incidents) Paged(ctx context.Context, name string, from, to time.Time) (list []schedule.Paged, err error) {
	err = s.db.Read(ctx, func(tx *store.Tx) error {
		pages, err := readPagings(ctx, tx, event.Range{From: from, To: to}, "")
		if err != nil {
			return err
		}
		escalations := map[string][]escalated{}
		for _, p := range pages {
			if p.kind != "" {
				continue // somebody asked for them by name
			}
			of, known := escalations[p.incident]
			if !known {
				if of, err = readEscalations(ctx, tx, p.incident); err != nil {
					return err
				}
				escalations[p.incident] = of
			}
			if slices.Contains(stepAt(of, p).schedules, name) {
				list = append(list, schedule.Paged{Person: p.person, At: p.at, Due: p.due})
			}
		}
		return nil
	})
	return list, err
}

// escalated is when an incident got an escalation.
type escalated struct {
	at    time.Time
	steps []step
}

func readEscalations(ctx context.Context, tx *store.Tx, incident string) ([]escalated, error) {
	return query(ctx, tx, func(row scanner) (e escalated, err error) {
		var at int64
		var raw string
		var of Escalation
		if err := row.Scan(&at, &raw); err != nil {
			return e, err
		}
		err = json.Unmarshal([]byte(raw), &of)
		return escalated{store.FromMicros(at), of.steps()}, err
	}, `SELECT at, data FROM incident_ledger WHERE incident_id = ? AND fact = ? ORDER BY seq`, incident, factEscalation)
}

// stepAt is the step that sent a page: of the escalation that the incident had then.
func stepAt(list []escalated, p paging) (st step) {
	for _, e := range list {
		if n := p.step % stepsPerCycle; !e.at.After(p.due) && n < len(e.steps) {
			st = e.steps[n]
		}
	}
	return st
}

// readCourses reads one more than is counted, if there are more. What people do is logged under their name; daytwo is no actor, and
// neither are parts of it.
func readCourses(ctx context.Context, tx *store.Tx, within event.Range, service string) ([]course, error) {
	return query(ctx, tx, func(row scanner) (c course, err error) {
		var opened, acked, resolved int64
		err = row.Scan(&c.id, &c.service, &opened, &resolved, &acked, &c.bySender, &c.deeds, &c.alerts)
		c.opened, c.acked, c.resolved = store.FromMicros(opened), store.FromMicros(acked), store.FromMicros(resolved)
		return c, err
	}, `SELECT i.id, i.service, i.opened_at, i.resolved_at,
			(SELECT COALESCE(MIN(l.at), 0) FROM incident_log l WHERE l.incident_id = i.id AND l.action IN ('acknowledged', 'snoozed') AND l.actor NOT LIKE 'system:%'),
			(SELECT COUNT(*) FROM incident_log l WHERE l.incident_id = i.id AND l.action = 'acknowledged' AND l.actor LIKE 'system:%'),
			(SELECT COUNT(*) FROM incident_log l WHERE l.incident_id = i.id AND l.actor NOT IN ('', 'daytwo') AND l.actor NOT LIKE 'system:%'),
			(SELECT COUNT(*) FROM incident_alerts a WHERE a.incident_id = i.id)
		FROM incidents i WHERE i.opened_at >= ? AND i.opened_at < ? AND i.merged_into = '' AND (? = '' OR i.service = ?)
		ORDER BY i.opened_at DESC LIMIT ?`, within.From, within.To, service, service, maxAnalysed+1)
}

// readPagings makes one of all messages that one step of an escalation, or one request for help, sent to one person.
func readPagings(ctx context.Context, tx *store.Tx, within event.Range, service string) ([]paging, error) {
	return query(ctx, tx, func(row scanner) (p paging, err error) {
		var due, at int64
		err = row.Scan(&p.incident, &p.service, &p.person, &p.kind, &p.step, &due, &at)
		p.due, p.at = store.FromMicros(due), store.FromMicros(at)
		return p, err
	}, `SELECT p.incident_id, i.service, p.person, p.kind, MIN(p.step), MIN(p.created_at), MIN(p.at) AS first_at FROM pages p JOIN incidents i ON i.id = p.incident_id
		WHERE p.status NOT IN ('due', 'sending', 'retry', 'exhausted', 'canceled') AND p.kind <> 'update' AND (? = '' OR i.service = ?)
			AND p.created_at >= ?
		GROUP BY p.incident_id, i.service, p.person, p.kind, CASE WHEN p.kind = '' THEN p.step ELSE p.created_at END
		HAVING MIN(p.at) >= ? AND MIN(p.at) < ? ORDER BY first_at DESC LIMIT ?`, service, service, within.From.Add(-longestTried), within.From, within.To, maxAnalysed+1)
}

// analyse adds up.
func analyse(courses []course, pages []paging, zone func(person string) *time.Location) Analytics {
	a := Analytics{Services: []OfService{}}
	paged := map[string]int{}
	for _, p := range pages {
		paged[p.incident]++
	}
	byService := map[string][]course{}
	for i := range courses {
		c := &courses[i]
		c.timesPaged = paged[c.id]
		byService[c.service] = append(byService[c.service], *c)
	}
	a.All = numbers(courses)
	for service, list := range byService {
		a.Services = append(a.Services, OfService{service, numbers(list)})
	}
	slices.SortFunc(a.Services, func(x, y OfService) int {
		return cmp.Or(cmp.Compare(y.Pages, x.Pages), cmp.Compare(y.Opened, x.Opened), strings.Compare(x.Service, y.Service))
	})
	a.People, a.Nights = people(pages, zone)
	return a
}

func numbers(list []course) (n Numbers) {
	var acks, ends []float64
	n.Opened = len(list)
	for _, c := range list {
		n.Alerts += c.alerts
		n.Pages += c.timesPaged
		if !c.acked.IsZero() {
			acks = append(acks, c.acked.Sub(c.opened).Seconds())
		} else if c.bySender > 0 {
			n.BySender++
		}
		if c.resolved.IsZero() {
			continue
		}
		ends = append(ends, c.resolved.Sub(c.opened).Seconds())
		if c.deeds == 0 {
			n.Unacted++
			n.UnactedAlerts += c.alerts
			n.UnactedPages += c.timesPaged
		}
	}
	n.Acknowledged, n.Resolved = len(acks), len(ends)
	n.AckMean, n.AckMedian = average(acks)
	n.ResolveMean, n.ResolveMedian = average(ends)
	return n
}

// average is nothing of nothing.
func average(list []float64) (mean, median *float64) {
	if len(list) == 0 {
		return nil, nil
	}
	slices.Sort(list)
	sum := 0.0
	for _, v := range list {
		sum += v
	}
	middle := (list[(len(list)-1)/2] + list[len(list)/2]) / 2
	return new(sum / float64(len(list))), &middle
}

func people(pages []paging, zone func(person string) *time.Location) ([]OfPerson, []OfNight) {
	type night struct{ day, person string }
	all, incidents, nights := map[string]*OfPerson{}, map[[2]string]bool{}, map[night]int{}
	for _, p := range pages {
		o := all[p.person]
		if o == nil {
			o = &OfPerson{Person: p.person}
			all[p.person] = o
		}
		o.Pages++
		if key := [2]string{p.person, p.incident}; !incidents[key] {
			incidents[key] = true
			o.Incidents++
		}
		day, atNight := schedule.Night(p.at, zone(p.person))
		if !atNight {
			continue
		}
		of := night{day.Format(time.DateOnly), p.person}
		if nights[of]++; nights[of] == 1 {
			o.Nights++
		}
		o.NightPages, o.WorstNight = o.NightPages+1, max(o.WorstNight, nights[of])
	}
	list, byNight := make([]OfPerson, 0, len(all)), make([]OfNight, 0, len(nights))
	for _, o := range all {
		list = append(list, *o)
	}
	slices.SortFunc(list, func(x, y OfPerson) int {
		return cmp.Or(cmp.Compare(y.Pages, x.Pages), strings.Compare(x.Person, y.Person))
	})
	for n, count := range nights {
		byNight = append(byNight, OfNight{n.day, n.person, count})
	}
	slices.SortFunc(byNight, func(x, y OfNight) int {
		return cmp.Or(strings.Compare(y.Night, x.Night), strings.Compare(x.Person, y.Person))
	})
	return list, byNight[:min(len(byNight), maxNights)]
}
