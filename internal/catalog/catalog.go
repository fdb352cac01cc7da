// Package catalog holds what an organisation runs and who answers for it: services, teams, people, escalation policies and
// objectives, read from daytwo.yml. The label `service` on samples, alerts and incidents points to a Service by name.
//
// The catalog is a value: it is parsed and checked as a whole, and replaced as a whole (see Live).
package catalog

import (
	"slices"
	"strings"
)

// Catalog is one checked daytwo.yml. Treat it as read-only.
type Catalog struct {
	People   []Person  `json:"people"`
	Teams    []Team    `json:"teams"`
	Policies []Policy  `json:"policies"`
	Services []Service `json:"services"`
	// LastResort names the people to page when a policy is missing, reaches nobody, or ran out unanswered.
	LastResort []string `json:"lastResort"`
}

// Person is somebody who can be paged. Every address they have is used for every page.
type Person struct {
	Name     string `json:"name"`
	FullName string `json:"fullName,omitempty"`
	Email    string `json:"email,omitempty"`
	Webhook  string `json:"webhook,omitempty"` // may hold a secret in its path: shown masked by the routes
	TimeZone string `json:"timeZone,omitempty"`
}

// Team is a set of people who own services.
type Team struct {
	Name    string   `json:"name"`
	Members []string `json:"members"`
}

// Policy says who is paged for an incident, and when, as long as nobody acknowledges it.
type Policy struct {
	Name   string  `json:"name"`
	Levels []Level `json:"levels"`
	Repeat int     `json:"repeat"` // further rounds through all levels
}

// Level is one step of a policy.
type Level struct {
	Targets []string `json:"targets"` // names of people
	After   Duration `json:"after"`   // since the incident opened; ascending through the levels
}

// Service is one entry of the catalog.
type Service struct {
	Name             string   `json:"name"`
	Description      string   `json:"description,omitempty"`
	Team             string   `json:"team,omitempty"`
	EscalationPolicy string   `json:"escalationPolicy,omitempty"`
	Repository       string   `json:"repository,omitempty"`
	Runbook          string   `json:"runbook,omitempty"`
	DependsOn        []string `json:"dependsOn"`
	Signals          Signals  `json:"signals"`
	SLOs             []SLO    `json:"slos"`
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

func find[T any](items []T, is func(T) bool) (T, bool) {
	if i := slices.IndexFunc(items, is); i >= 0 {
		return items[i], true
	}
	var none T
	return none, false
}
