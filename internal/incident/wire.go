package incident

import (
	"maps"
	"strings"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/notify"
)

// bundleWithin is how long after a message to an address more pages to it wait, so that they go out together.
const bundleWithin = 30 * time.Second

// wire counts the pages that are being sent, in all and to each address, and knows who was told of something a moment ago. The zero
// value works. It is forgotten at a restart: then nothing waits.
type wire struct {
	mu   sync.Mutex
	to   map[string]int
	late int // messages of pages that were given up before
	told map[recipient]told
}

// recipient is one person by one channel at one address.
type recipient struct{ person, channel, address string }

// told is the last message to a recipient. Its time is the process's own, which no change of the clock moves.
type told struct {
	at   time.Time
	rank int // pageRank of the worst they were told of since they were last left in peace
}

// maxTold bounds how many recipients are remembered: the pages of more do not wait.
const maxTold = 300

// maxLate is how much of a wire pages that were given up may have: while their channel hangs, others are not to wait for them.
const maxLate = maxSending / 4

// room is what may still be put on a wire.
type room struct {
	free int
	late int                // of these, for pages that were given up
	to   map[string]int     // how many are under way to an address
	told map[recipient]told // who was told of something a moment ago
}

// bundles tells whether pages of a channel may share a message. A webhook is a machine's address: it gets each page by itself.
func bundles(channel string) bool { return channel != notify.Webhook }

func (w *wire) enter(a attempt) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.to == nil {
		w.to, w.told = map[string]int{}, map[recipient]told{}
	}
	w.to[a.to]++
	if a.late() {
		w.late++
	}
	if a.Kind != "" || !bundles(a.Channel) || len(a.with) == maxBundle-1 { // after a full bundle the rest goes on at once
		return
	}
	now, who := time.Now(), a.recipient()
	before, known := w.told[who]
	if !known && len(w.told) >= maxTold {
		return
	}
	if known && a.Attempts > 1 { // it tells nothing new: what came meanwhile does not wait for its sake
		now = before.at
	}
	t := told{now, a.rank}
	if known && now.Sub(before.at) < bundleWithin {
		t.rank = min(t.rank, before.rank)
	}
	w.told[who] = t
}

// leave takes a message off the wire. One that did not arrive told nobody anything, so nothing waits for its sake.
func (w *wire) leave(a attempt, arrived bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.to[a.to]--; w.to[a.to] == 0 {
		delete(w.to, a.to)
	}
	if a.late() {
		w.late--
	}
	if !arrived {
		delete(w.told, a.recipient())
	}
}

func (w *wire) room() room {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(w.told, func(_ recipient, t told) bool { return now.Sub(t.at) >= bundleWithin })
	r := room{free: maxSending, late: maxLate - w.late, to: maps.Clone(w.to), told: maps.Clone(w.told)}
	if r.to == nil {
		r.to, r.told = map[string]int{}, map[recipient]told{}
	}
	for _, n := range w.to {
		r.free -= n
	}
	return r
}

// elsewhere is the condition that a page p may go now, with its arguments: its address has room, those that were given up have, and, unless it is the first to its
// recipient for a while or worse than what they were told, it does not wait for others.
func (r room) elsewhere() (where string, args []any) {
	var busy []any
	for address, n := range r.to {
		if n >= maxTogether {
			busy = append(busy, address)
		}
	}
	if len(busy) > 0 {
		where, args = ` AND p.address NOT IN (?`+strings.Repeat(`, ?`, len(busy)-1)+`)`, busy
	}
	if r.late <= 0 {
		where += ` AND p.status <> 'exhausted'`
	}
	for rank := range ranks {
		var them []any
		for who, t := range r.told {
			if t.rank == rank {
				them = append(them, who.person, who.channel, who.address)
			}
		}
		if len(them) == 0 {
			continue
		}
		for n := len(them) / 3; n&(n-1) != 0; n++ { // a power of two of them, so that few different statements are prepared
			them = append(them, them[:3]...)
		}
		where += ` AND NOT (p.kind = '' AND p.attempts = 0 AND p.channel <> 'webhook'
			AND (p.person, p.channel, p.address) IN (VALUES (?, ?, ?)` + strings.Repeat(`, (?, ?, ?)`, len(them)/3-1) + `)
			AND (SELECT ` + pageRank + ` FROM incidents i WHERE i.id = p.incident_id) >= ?)`
		args = append(append(args, them...), rank)
	}
	return where, args
}

// release is when the first of those told may be told of more, and whether there is one.
func (r room) release(now time.Time) (after time.Duration, ok bool) {
	after = bundleWithin
	for _, t := range r.told {
		after, ok = min(after, t.at.Add(bundleWithin).Sub(now)), true
	}
	return after, ok
}
