package eventdb

import (
	"github.com/daytwo-dev/daytwo/internal/event"
)

// head is the newest events, in memory; they are in the log too.
type head struct {
	events []event.Event
}

func newHead() *head { return &head{} }

func (h *head) add(events []event.Event) { h.events = append(h.events, events...) }

// addToHead makes events visible.
func (db *DB) addToHead(events []event.Event) {
	db.mu.Lock()
	defer db.mu.Unlock()
	db.head.add(events)
}

// makeRoom sees that the head can take more.
func (db *DB) makeRoom() error { return nil }
