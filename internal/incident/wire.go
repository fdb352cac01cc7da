package incident

import (
	"maps"
	"strings"
	"sync"
)

// wire counts the pages that are being sent, in all and to each address. The zero value works.
type wire struct {
	mu sync.Mutex
	to map[string]int
}

// room is what may still be put on a wire.
type room struct {
	free int
	to   map[string]int // how many are under way to an address
}

func (w *wire) enter(address string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.to == nil {
		w.to = map[string]int{}
	}
	w.to[address]++
}

func (w *wire) leave(address string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.to[address]--; w.to[address] == 0 {
		delete(w.to, address)
	}
}

func (w *wire) room() room {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := room{free: maxSending, to: map[string]int{}}
	maps.Copy(r.to, w.to)
	for _, n := range w.to {
		r.free -= n
	}
	return r
}

// elsewhere is the condition that a page p goes to an address with room, with its arguments.
func (r room) elsewhere() (where string, args []any) {
	for address, n := range r.to {
		if n >= maxTogether {
			args = append(args, address)
		}
	}
	if len(args) == 0 {
		return "", nil
	}
	return ` AND p.address NOT IN (?` + strings.Repeat(`, ?`, len(args)-1) + `)`, args
}
