// Package catalog holds what an organisation runs and who answers for it: services, teams, people, schedules, escalation policies,
// priorities, maintenance windows and objectives. They come from two places: daytwo.yml, which people keep in git, and entries made
// through the API. What a file declares is changed there and nowhere else.
//
// The label `service` on samples, alerts and incidents points to a Service by name. Names are unique within a kind; every entry also
// has an id that stays, in the form PagerDuty's clients know.
//
// The catalog in force is a value: it is checked as a whole, and replaced as a whole (see Live).
package catalog

import (
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/schedule"
)

// Catalog is everything in force at one moment. Treat it as read-only.
type Catalog struct {
	People      []Person      `json:"people"`
	Teams       []Team        `json:"teams"`
	Schedules   []Schedule    `json:"schedules"`
	Policies    []Policy      `json:"policies"`
	Services    []Service     `json:"services"`
	Priorities  []Priority    `json:"priorities" doc:"the most urgent first"`
	Maintenance []Maintenance `json:"maintenance"`
	// LastResort names the people to page when a policy is missing, reaches nobody, or ran out unanswered.
	LastResort []string   `json:"lastResort"`
	StatusPage StatusPage `json:"statusPage"`

	calendars map[string]*schedule.Schedule // by the name of the schedule
}

// Team is a set of people who own services.
type Team struct {
	ID          string   `json:"id"`
	Name        string   `json:"name"`
	Description string   `json:"description,omitempty"`
	Members     []string `json:"members"`
	File        string   `json:"file,omitempty" doc:"the file that declares it: it is changed there"`
	Saved       *Saved   `json:"saved,omitempty" doc:"absent: a file declares it"`
}

// Policy says who is paged for an incident, and when, as long as nobody acknowledges it.
type Policy struct {
	ID          string  `json:"id"`
	Name        string  `json:"name"`
	Description string  `json:"description,omitempty"`
	Team        string  `json:"team,omitempty"`
	Levels      []Level `json:"levels"`
	Repeat      int     `json:"repeat" doc:"further rounds through all levels"`
	Then        string  `json:"then,omitempty" doc:"the policy that goes on when this one ran out"`
	File        string  `json:"file,omitempty" doc:"the file that declares it: it is changed there"`
	Saved       *Saved  `json:"saved,omitempty" doc:"absent: a file declares it"`
}

// Level is one step of a policy.
type Level struct {
	Targets    []Target `json:"targets"`
	After      Duration `json:"after" doc:"since the incident opened; ascending through the levels"`
	RoundRobin bool     `json:"roundRobin,omitempty" doc:"one target for each incident, in turn, rather than all of them"`
}

// Target is whom a level pages: a person, or whoever a schedule has on call.
type Target struct {
	Kind string `json:"kind" enum:"person,schedule"`
	Name string `json:"name"`
}

// The kinds of targets.
const (
	ToPerson   = "person"
	ToSchedule = "schedule"
)

// Service is one entry of the catalog.
type Service struct {
	ID               string        `json:"id"`
	Name             string        `json:"name"`
	Description      string        `json:"description,omitempty"`
	Team             string        `json:"team,omitempty"`
	EscalationPolicy string        `json:"escalationPolicy,omitempty"`
	Repository       string        `json:"repository,omitempty"`
	Runbook          string        `json:"runbook,omitempty"`
	DependsOn        []string      `json:"dependsOn"`
	Signals          Signals       `json:"signals"`
	SLOs             []SLO         `json:"slos"`
	Urgency          string        `json:"urgency,omitempty" enum:"high,low,severity" doc:"how loud incidents are; severity: low for warnings and information; absent: high"`
	SupportHours     *SupportHours `json:"supportHours,omitempty" doc:"when urgency counts; outside of them incidents are less urgent"`
	Integrations     []Integration `json:"integrations" doc:"the keys by which events reach it"`
	AckTimeout       Duration      `json:"ackTimeout,omitempty" doc:"after which an acknowledged incident pages again; absent: never"`
	AutoResolve      Duration      `json:"autoResolve,omitempty" doc:"after which an incident that nobody touched is resolved; absent: never"`
	Grouping         *Grouping     `json:"grouping,omitempty" doc:"which alerts make one incident; absent: all of the service"`
	File             string        `json:"file,omitempty" doc:"the file that declares it: it is changed there"`
	Saved            *Saved        `json:"saved,omitempty" doc:"absent: a file declares it"`
}

// SupportHours are the hours in which somebody works on a service; outside of them its incidents can be less urgent.
type SupportHours struct {
	TimeZone string                 `json:"timeZone"`
	Windows  []schedule.Restriction `json:"windows"`
	Outside  string                 `json:"outside" enum:"high,low" doc:"the urgency outside of the windows"`
}

// Integration is a door of a service, with the key that opens it.
type Integration struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	Type string `json:"type,omitempty" doc:"what sends, for people: events, alertmanager, grafana …"`
	Key  string `json:"key" doc:"32 characters; shown masked to those who may not change the service"`
}

// Grouping says which alerts of a service make one incident.
type Grouping struct {
	By     []string `json:"by" doc:"labels, or fields of the event's details, that must be equal; none: time alone"`
	Within Duration `json:"within,omitempty" doc:"of the alert before; absent: as long as the incident is open"`
}

// Priority is a word for how much an incident matters.
type Priority struct {
	ID          string `json:"id"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Color       string `json:"color,omitempty" doc:"as a8171c"`
	File        string `json:"file,omitempty" doc:"the file that declares it: it is changed there"`
	Saved       *Saved `json:"saved,omitempty" doc:"absent: a file declares it"`
}

// Maintenance is a window in which alerts of some services page nobody.
type Maintenance struct {
	ID          string    `json:"id"`
	Name        string    `json:"name,omitempty"`
	Description string    `json:"description,omitempty"`
	Services    []string  `json:"services"`
	Start       time.Time `json:"start"`
	End         time.Time `json:"end"`
	By          string    `json:"by,omitempty"`
	File        string    `json:"file,omitempty" doc:"the file that declares it: it is changed there"`
	Saved       *Saved    `json:"saved,omitempty" doc:"absent: a file declares it"`
}

// StatusPage is what the public sees.
type StatusPage struct {
	Title      string            `json:"title,omitempty"`
	Updates    bool              `json:"updates,omitempty" doc:"what stakeholders are told of an incident is told the public too"`
	Components []StatusComponent `json:"components"`
	File       string            `json:"file,omitempty" doc:"the file that declares it: it is changed there"`
	Saved      *Saved            `json:"saved,omitempty" doc:"absent: a file declares it, or nobody has saved one"`
}

// StatusComponent shows one service under a name for the public.
type StatusComponent struct {
	Name        string `json:"name"`
	Service     string `json:"service"`
	Description string `json:"description,omitempty"`
}

// The urgencies.
const (
	High       = "high"
	Low        = "low"
	BySeverity = "severity"
)

// UrgencyAt is how urgent an incident of a severity is at a time, and why.
func (s Service) UrgencyAt(severity string, at time.Time) (urgency, reason string) {
	urgency, reason = High, "the service is always urgent"
	switch {
	case s.Urgency == Low:
		urgency, reason = Low, "the service is never urgent"
	case s.Urgency == BySeverity && (severity == "warning" || severity == "info"):
		urgency, reason = Low, "a severity of "+severity+" is not urgent"
	case s.Urgency == BySeverity:
		reason = "a severity of " + severity + " is urgent"
	}
	if h := s.SupportHours; h != nil && urgency == High {
		loc, err := time.LoadLocation(h.TimeZone)
		if err == nil && !schedule.Open(h.Windows, loc, at) {
			return h.Outside, "it is outside of the support hours"
		}
	}
	return urgency, reason
}

// InMaintenance is the window that covers a service at a time, if there is one.
func (c *Catalog) InMaintenance(service string, at time.Time) (Maintenance, bool) {
	return find(c.Maintenance, func(m Maintenance) bool {
		return slices.Contains(m.Services, service) && !at.Before(m.Start) && at.Before(m.End)
	})
}

// Signals are the PromQL expressions of a service's golden signals. Those not given follow the conventions of package service.
type Signals struct {
	Traffic    string `json:"traffic"`    // requests per second
	Errors     string `json:"errors"`     // failed requests per second
	LatencyP99 string `json:"latencyP99"` // seconds
}

// SLO is an objective: over Window, Objective percent of the total is good.
type SLO struct {
	Name       string      `json:"name"`
	Objective  float64     `json:"objective"` // percent, above 0 and below 100
	Window     Duration    `json:"window"`
	Good       string      `json:"good"`  // PromQL with $window for the range
	Total      string      `json:"total"` // PromQL with $window for the range
	BurnAlerts []BurnAlert `json:"burnAlerts"`
}

// BurnAlert fires while the error budget burns at more than Factor times the sustainable speed over both windows: Long for
// significance, Short so that it stops soon after the burning does.
type BurnAlert struct {
	Long     Duration `json:"long"`
	Short    Duration `json:"short"`
	Factor   float64  `json:"factor"`
	Severity string   `json:"severity"` // critical, warning or info
}

// Budget is the part of the total that may fail, between 0 and 1.
func (o SLO) Budget() float64 { return (100 - o.Objective) / 100 }

// Over puts a range into an expression that uses $window, as Good and Total of an SLO do.
func Over(expr string, window Duration) string {
	return strings.ReplaceAll(expr, "$window", window.String())
}

// Service finds a service by name.
func (c *Catalog) Service(name string) (Service, bool) {
	return find(c.Services, func(s Service) bool { return s.Name == name })
}

// Person finds a person by name.
func (c *Catalog) Person(name string) (Person, bool) {
	return find(c.People, func(p Person) bool { return p.Name == name })
}

// Team finds a team by name.
func (c *Catalog) Team(name string) (Team, bool) {
	return find(c.Teams, func(t Team) bool { return t.Name == name })
}

// Policy finds an escalation policy by name.
func (c *Catalog) Policy(name string) (Policy, bool) {
	return find(c.Policies, func(p Policy) bool { return p.Name == name })
}

// Schedule finds a schedule by name.
func (c *Catalog) Schedule(name string) (Schedule, bool) {
	return find(c.Schedules, func(s Schedule) bool { return s.Name == name })
}

// ByKey finds the service that an integration key belongs to.
func (c *Catalog) ByKey(key string) (Service, Integration, bool) {
	for _, s := range c.Services {
		if i, ok := find(s.Integrations, func(i Integration) bool { return i.Key == key && key != "" }); ok {
			return s, i, true
		}
	}
	return Service{}, Integration{}, false
}

func find[T any](items []T, is func(T) bool) (T, bool) {
	if i := slices.IndexFunc(items, is); i >= 0 {
		return items[i], true
	}
	var none T
	return none, false
}
