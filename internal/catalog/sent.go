package catalog

import (
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// kindSent is what the contacts of a person were sent because somebody asked for it; its id is the person's.
const kindSent Kind = "sent"

// What may be sent to the contacts of one person on request, codes and tests together: whoever may add contacts could otherwise have
// daytwo write to, and call, anybody as often as they like. Pages are not counted.
const (
	sentSoon = 5 // within soon
	soon     = 10 * time.Minute
	sentADay = 20
	day      = 24 * time.Hour
)

// spend counts one message on request to a person, unless there were too many.
func (c *change) spend(p Person) error {
	var sent []time.Time // oldest first
	for _, r := range c.shelf.rows[kindSent] {
		before, ok := decode[[]time.Time](r)
		if !ok || r.id != p.ID {
			continue
		}
		for _, at := range before {
			if c.now.Sub(at) < day {
				sent = append(sent, at)
			}
		}
	}
	for _, most := range []struct {
		messages int
		within   time.Duration
	}{{sentSoon, soon}, {sentADay, day}} {
		if len(sent) < most.messages {
			continue
		}
		if wait := most.within - c.now.Sub(sent[len(sent)-most.messages]); wait > 0 {
			return problem.New(problem.Exhausted, "%s was sent %d codes and tests within %s", p.Name, most.messages, Duration(most.within)).
				WithMend("wait %s", wait.Truncate(time.Second)+time.Second)
		}
	}
	return c.put(kindSent, p.ID, p.ID, append(sent, c.now))
}
