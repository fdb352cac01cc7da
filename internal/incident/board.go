package incident

import (
	"net/url"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Board is what people arrange around an incident.
type Board struct {
	Assigned   []string          `json:"assigned,omitempty" doc:"who it lies with now: the people of the step taken last, or those it was given to"`
	Roles      map[string]string `json:"roles,omitempty" doc:"commander, scribe, liaison: who has it"`
	Tasks      []Task            `json:"tasks,omitempty"`
	Responders []Responder       `json:"responders,omitempty" doc:"people asked to help"`
	Updates    []Update          `json:"updates,omitempty" doc:"for those who wait rather than work; newest last"`
	Conference *Conference       `json:"conference,omitempty"`
	Key        string            `json:"key,omitempty" doc:"the incident key it was created with"`
	Details    string            `json:"details,omitempty"`
}

// Task is something to be done for an incident.
type Task struct {
	ID    string `json:"id"`
	Text  string `json:"text"`
	Owner string `json:"owner,omitempty"`
	Done  bool   `json:"done,omitempty"`
}

// Responder is somebody who was asked to help.
type Responder struct {
	Person      string    `json:"person"`
	Message     string    `json:"message,omitempty"`
	State       string    `json:"state" enum:"pending,joined,declined"`
	RequestedBy string    `json:"requestedBy,omitempty"`
	At          time.Time `json:"at" doc:"since when it has this state"`
	Unreached   string    `json:"unreached,omitempty" doc:"why they were not told that they are asked; absent: a message was sent"`
}

// Update is what stakeholders are told.
type Update struct {
	ID        string    `json:"id"`
	Time      time.Time `json:"time"`
	By        string    `json:"by"`
	Text      string    `json:"text"`
	Unreached []string  `json:"unreached,omitempty" doc:"who was to be told and has no way to be"`
}

// Conference is where people talk.
type Conference struct {
	URL    string `json:"url,omitempty"`
	Number string `json:"number,omitempty"`
}

// check refuses an address that is no page: people open it with one tap.
func (c *Conference) check() error {
	if c == nil || c.URL == "" {
		return nil
	}
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return problem.New(problem.Invalid, "the conference is not at an http or https URL").WithField("conference.url").
			WithMend("write it as https://meet.example.com/incident, or give a telephone number")
	}
	return nil
}

// roles are those an incident has.
var roles = []string{"commander", "scribe", "liaison"}

// Limits of a board.
const (
	maxTasks      = 100
	maxResponders = 100
	maxUpdates    = 200
	maxUpdate     = 5000 // bytes of one update
)
