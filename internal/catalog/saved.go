package catalog

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Saved is how an entry made through the API was saved last. An entry handed in with it is meant to replace just that version: so two
// people who change one at the same time do not undo each other's work unseen.
type Saved struct {
	Version string    `json:"version" doc:"of what it says: give it as If-Match to replace just this"`
	At      time.Time `json:"at"`
	By      string    `json:"by,omitempty"`
}

// Seen is the version that If-Match names, nil if it names none. The quotes and the W/ of HTTP may be left out.
func Seen(ifMatch string) *Saved {
	version := strings.Trim(strings.TrimPrefix(strings.TrimSpace(ifMatch), "W/"), `"`)
	if version == "" || version == "*" {
		return nil
	}
	return &Saved{Version: version}
}

// VersionOf is the version of an entry that is stored as data.
func VersionOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// Check refuses to replace an entry of which another version was seen. called names it for people.
func (s *Saved) Check(seen *Saved, called string) error {
	if seen == nil || seen.Version == s.Version {
		return nil
	}
	by := ""
	if s.By != "" {
		by = " by " + s.By
	}
	return problem.New(problem.Conflict, "%s was changed%s at %s, after you had looked at it", called, by, s.At.Format(time.RFC3339)).
		WithField("If-Match").WithMend("look at it as it is now, and change that; without If-Match yours takes its place")
}

func (r stored) saved() *Saved {
	return &Saved{Version: VersionOf(r.data), At: r.updated, By: r.by}
}

// stamp notes on every stored entry how it was saved.
func (c *Catalog) stamp(s *shelf) {
	rows := map[Kind]map[string]*Saved{}
	for kind, list := range s.rows {
		rows[kind] = map[string]*Saved{}
		for _, r := range list {
			rows[kind][r.id] = r.saved()
		}
	}
	for i := range c.People {
		c.People[i].Saved = rows[KindPerson][c.People[i].ID]
	}
	for i := range c.Teams {
		c.Teams[i].Saved = rows[KindTeam][c.Teams[i].ID]
	}
	for i := range c.Schedules {
		c.Schedules[i].Saved = rows[KindSchedule][c.Schedules[i].ID]
	}
	for i := range c.Policies {
		c.Policies[i].Saved = rows[KindPolicy][c.Policies[i].ID]
	}
	for i := range c.Services {
		c.Services[i].Saved = rows[KindService][c.Services[i].ID]
	}
	for i := range c.Priorities {
		c.Priorities[i].Saved = rows[KindPriority][c.Priorities[i].ID]
	}
	for i := range c.Maintenance {
		c.Maintenance[i].Saved = rows[KindMaintenance][c.Maintenance[i].ID]
	}
	if c.StatusPage.File == "" {
		c.StatusPage.Saved = rows[KindStatusPage][statusPageID]
	}
}
