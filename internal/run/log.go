package run

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/store"
)

const (
	lineCost     = 32      // bytes a line counts beside its text
	maxPending   = 1000    // lines on their way to the store
	maxUnwritten = 1 << 20 // bytes of them
	// patience is how long a writer waits for a slow store before its line is
	// lost, counted.
	patience = 2 * time.Second
)

// runLog collects the lines of an executing run until they are stored. Its size
// is bounded: the limit on the whole log is marked in it, and so is what a store
// that does not keep up has cost.
type runLog struct {
	mask  *mask
	limit int64

	waiting chan struct{} // there are lines to store
	full    chan struct{} // there is room for no more

	mu        sync.Mutex
	seq       int64
	bytes     int64 // of the whole log
	truncated bool
	omitted   int // lines beyond the limit
	lost      int // lines the store was too slow for, and not told of yet
	allLost   int
	pending   []Line
	size      int64         // bytes pending
	room      chan struct{} // closed and replaced when there is room
	closed    bool
}

func newRunLog(m *mask, limit, seq, bytes int64) *runLog {
	return &runLog{mask: m, limit: limit, seq: seq, bytes: bytes,
		waiting: make(chan struct{}, 1), full: make(chan struct{}, 1), room: make(chan struct{})}
}

// say adds text, a line for each of its own.
func (l *runLog) say(step, stream, text string) {
	for line := range strings.Lines(text) {
		l.add(step, stream, strings.TrimRight(line, "\r\n"))
	}
}

// add adds one line, waiting for room within reason.
func (l *runLog) add(step, stream, text string) {
	text = store.Text(l.mask.apply(text))
	l.mu.Lock()
	defer l.mu.Unlock()
	var deadline <-chan time.Time
	for !l.closed && (len(l.pending) >= maxPending || l.size >= maxUnwritten) {
		signal(l.full)
		if deadline == nil {
			deadline = time.After(patience)
		}
		room := l.room
		l.mu.Unlock()
		select {
		case <-room:
			l.mu.Lock()
		case <-deadline:
			l.mu.Lock()
			l.lost++
			l.allLost++
			return
		}
	}
	if l.closed {
		return
	}
	if stream != Sys && !l.fits(text) {
		l.omitted++
		if l.truncated {
			return
		}
		l.truncated = true
		stream, text = Sys, fmt.Sprintf("log truncated: it has reached its limit of %d bytes; what follows is left out", l.limit)
	}
	l.append(step, stream, text)
	signal(l.waiting)
}

// fits tells whether the log may grow by text. Once it may not, it stays so,
// rather than take the short lines and leave out the long ones.
func (l *runLog) fits(text string) bool {
	return !l.truncated && l.bytes+int64(len(text))+lineCost <= l.limit
}

func (l *runLog) append(step, stream, text string) {
	l.seq++
	l.pending = append(l.pending, Line{Seq: l.seq, Time: now(), Step: step, Stream: stream, Text: text})
	l.bytes += int64(len(text)) + lineCost
	l.size += int64(len(text)) + lineCost
}

// take hands over the lines to store.
func (l *runLog) take() []Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lost > 0 {
		l.append("", Sys, fmt.Sprintf("%d lines are missing here: they could not be stored in time", l.lost))
		l.lost = 0
	}
	lines := l.pending
	l.pending, l.size = nil, 0
	close(l.room)
	l.room = make(chan struct{})
	return lines
}

// putBack returns lines that could not be stored.
func (l *runLog) putBack(lines []Line) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(lines) == 0 {
		return
	}
	for _, line := range lines {
		l.size += int64(len(line.Text)) + lineCost
	}
	l.pending = slices.Concat(lines, l.pending)
	signal(l.waiting)
}

// close lets go of whoever waits. Later lines go nowhere.
func (l *runLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	close(l.room)
	l.room = make(chan struct{})
}

// missing counts what the log lacks.
func (l *runLog) missing() (omitted, lost int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.omitted, l.allLost
}

// signal leaves word in c, which holds one.
func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
