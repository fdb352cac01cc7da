package eventdb

import (
	"context"
	"slices"
	"strings"
	"sync"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Bounds of what waits to be written.
const (
	maxWaiting = 128 << 20 // bytes of all batches
	maxGroup   = 16 << 20  // bytes written at once
)

// commit is one Append on its way.
type commit struct {
	events []event.Event
	batch  *batch
	turn   chan bool // true: lead the next group; false: done, see err
	err    error
}

// committer writes batches in groups: one of the callers that wait leads, writes
// what has gathered with one sync, and hands the lead on.
type committer struct {
	mu      sync.Mutex
	queue   []*commit
	waiting int64 // bytes in queue
	leading bool

	writing sync.Mutex // held over a write; guards what is below
	wal     wal
	closed  bool

	encoders sync.Pool
	frames   []byte
}

// Append stores events. When it returns nil they are durable (with SyncAlways)
// and every query from now on finds them. After an error none of them is stored.
// The events get their IDs from the store. Who follows (Tail) gets the slices of
// fields, so the caller must not change them afterwards.
func (db *DB) Append(ctx context.Context, events []event.Event) error {
	if len(events) == 0 {
		return ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if db.isClosed() {
		return errClosed
	}
	c := &commit{events: db.cut(events), turn: make(chan bool, 1)}
	c.batch = db.commits.encode(c.events)
	if size := len(c.batch.data); size > maxBatch {
		return problem.New(problem.TooLarge, "a batch of %d MiB is too large", size>>20).WithMend("send at most %d MiB at once", maxBatch>>20)
	}
	lead, err := db.commits.join(c)
	if err != nil {
		return err
	}
	if !lead {
		lead = <-c.turn
	}
	if lead {
		db.lead(c)
	}
	return c.err
}

func (cs *committer) encode(events []event.Event) *batch {
	e, _ := cs.encoders.Get().(*batchEncoder)
	if e == nil {
		e = &batchEncoder{}
	}
	defer cs.encoders.Put(e)
	return e.encode(events)
}

// join puts c in the queue and tells whether the caller leads.
func (cs *committer) join(c *commit) (lead bool, err error) {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if cs.waiting+int64(len(c.batch.data)) > maxWaiting && len(cs.queue) > 0 {
		return false, problem.New(problem.Exhausted, "more than %d MiB of events wait to be written", maxWaiting>>20).WithMend("send more slowly")
	}
	cs.queue = append(cs.queue, c)
	cs.waiting += int64(len(c.batch.data))
	lead = !cs.leading
	cs.leading = true
	return lead, nil
}

// take removes the next group from the queue.
func (cs *committer) take() []*commit {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	n, size, rows, names := 0, 0, 0, 0
	for ; n < len(cs.queue); n++ {
		b := cs.queue[n].batch
		rows, names = rows+len(b.events), names+len(b.refs)
		if n > 0 && (size+len(b.data) > maxGroup || rows*names > headCells/8) {
			break
		}
		size += len(b.data)
	}
	group := slices.Clone(cs.queue[:n])
	cs.queue = slices.Delete(cs.queue, 0, n)
	cs.waiting -= int64(size)
	return group
}

// handOn makes the first that waits the leader.
func (cs *committer) handOn() {
	cs.mu.Lock()
	defer cs.mu.Unlock()
	if len(cs.queue) == 0 {
		cs.leading = false
		return
	}
	cs.queue[0].turn <- true
}

// lead writes the next group, of which own is the first, and tells the others.
func (db *DB) lead(own *commit) {
	group := db.commits.take()
	err := db.writeGroup(group)
	for _, c := range group {
		c.err = err
		if c != own {
			c.turn <- false
		}
	}
	db.commits.handOn()
}

func (db *DB) writeGroup(group []*commit) error {
	cs := &db.commits
	cs.writing.Lock()
	defer cs.writing.Unlock()
	if cs.closed {
		return errClosed
	}
	if err := db.makeRoom(); err != nil {
		return err
	}
	cs.frames = cs.frames[:0]
	id := db.nextID
	for _, c := range group {
		c.batch.firstID = id
		cs.frames = appendFrame(cs.frames, id, c.batch.data)
		id += uint64(len(c.events))
	}
	if err := cs.wal.write(cs.frames, db.cfg.Sync == SyncAlways); err != nil {
		db.metrics.refused.Inc()
		return writeFailed("write the log", err)
	}
	if cap(cs.frames) > 2*maxGroup {
		cs.frames = nil
	}
	db.nextID = id
	for _, c := range group {
		db.addToHead(c.batch)
		db.metrics.appended.Add(float64(len(c.events)))
		db.metrics.appendedBytes.Add(float64(len(c.batch.data)))
		db.tails.publish(c.events, c.batch.firstID)
	}
	return nil
}

func (cs *committer) sync() error {
	cs.writing.Lock()
	defer cs.writing.Unlock()
	return cs.wal.sync()
}

func (cs *committer) close() error {
	cs.writing.Lock()
	defer cs.writing.Unlock()
	cs.closed = true
	err := cs.wal.sync()
	cs.wal.close()
	return err
}

// cut keeps events within the limits of package event, names what it cut in
// event.CutField, and counts it. What it changes it changes in a copy.
func (db *DB) cut(events []event.Event) []event.Event {
	own := false
	for i := range events {
		if fits(&events[i]) {
			continue
		}
		if !own {
			events, own = slices.Clone(events), true
		}
		e := &events[i]
		fields := e.Fields[:min(len(e.Fields), event.MaxFields)]
		kept := make([]event.Field, 0, len(fields)+1)
		var marks []string
		for _, f := range fields {
			if len(f.Name) > event.MaxNameSize {
				f.Name = strings.ToValidUTF8(f.Name[:event.MaxNameSize], "")
				marks = append(marks, f.Name)
			} else if _, text := f.Value.Raw(); len(text) > event.MaxValueSize {
				marks = append(marks, f.Name)
			}
			f.Value = cutValue(f.Value)
			kept = append(kept, f)
		}
		for _, f := range e.Fields[len(fields):] {
			marks = append(marks, f.Name[:min(len(f.Name), event.MaxNameSize)])
		}
		db.metrics.cut.Add(float64(len(marks)))
		if len(marks) > 100 {
			marks = append(marks[:100], "…")
		}
		e.Fields = append(kept, event.Field{Name: event.CutField, Value: event.List(marks...)})
	}
	return events
}

func fits(e *event.Event) bool {
	if len(e.Fields) > event.MaxFields {
		return false
	}
	for i := range e.Fields {
		_, text := e.Fields[i].Value.Raw()
		if len(text) > event.MaxValueSize || len(e.Fields[i].Name) > event.MaxNameSize {
			return false
		}
	}
	return true
}

// cutValue cuts text at a character, bytes anywhere, and lists at an element.
func cutValue(v event.Value) event.Value {
	_, text := v.Raw()
	if len(text) <= event.MaxValueSize {
		return v
	}
	switch v.Type() {
	case event.TypeString:
		return event.String(strings.ToValidUTF8(text[:event.MaxValueSize], ""))
	case event.TypeList:
		size, kept := 0, []string{}
		for _, item := range v.Strings() {
			if size += len(item) + 5; size > event.MaxValueSize {
				break
			}
			kept = append(kept, item)
		}
		return event.List(kept...)
	}
	return event.Bytes([]byte(text[:event.MaxValueSize]))
}
