// Package tail follows files that programs log to: across rotation (renamed or
// truncated), with lines that belong together joined, and with the position kept
// on disk, so that after a restart nothing is missing. What was handed over but
// not acknowledged is handed over again: at least once.
package tail

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"sort"
	"syscall"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Config says what is followed and where it goes.
type Config struct {
	Paths     []string // patterns as of filepath.Glob; looked up again and again
	Positions string   // file that keeps how far each file was read
	FromEnd   bool     // a file that is there at the very first start is followed from its end
	Multiline string   // regular expression of a line that begins a record; empty: each line is one
	Poll      time.Duration
	Linger    time.Duration                       // how long nothing must come to a file that was renamed or removed until it is let go; 0: 30 s
	Send      func(context.Context, []Line) error // returns when the lines are kept for good; an error means: again
	Logger    *slog.Logger
}

// Validate says what is wrong with c, naming the field and the mend.
func (c Config) Validate() error {
	if len(c.Paths) == 0 {
		return problem.New(problem.Invalid, "no file is to be followed").WithField("tail").WithMend("give at least one pattern of files")
	}
	for _, p := range c.Paths {
		if _, err := filepath.Match(p, ""); err != nil {
			return problem.New(problem.Invalid, "the pattern of files %q cannot be read", p).WithField("tail").WithMend("use *, ? and [a-z] as the shell does")
		}
	}
	if _, err := regexp.Compile(c.Multiline); err != nil {
		return problem.New(problem.Invalid, "the beginning of a record, %q: %v", c.Multiline, err).WithField("multiline").
			WithMend("give a regular expression of Go that the first line of each record matches, for example '^[0-9]{4}-'")
	}
	return nil
}

// Line is one record of a file.
type Line struct {
	Path string
	Text string
	At   time.Time // when it was read
}

// Limits of what is held.
const (
	maxLine   = 256 << 10 // bytes of a record; more is cut
	maxBatch  = 1000      // records handed over at once
	maxBytes  = 1 << 20   // and bytes
	maxFiles  = 1000      // followed at once
	maxJoined = 500       // lines of one record
	patience  = time.Second
	linger    = 30 * time.Second
	maxWait   = 30 * time.Second
)

// Tailer follows files. Make it with New and keep Run running.
type Tailer struct {
	cfg   Config
	begin *regexp.Regexp
	files map[string]*file // by identity
	saved map[string]position
	fresh bool            // no position was ever kept
	blank map[string]bool // patterns of which was said that they match nothing
}

// position is how far a file was read and acknowledged. Files are told apart by
// device and inode, and by what was read of them, because inodes are used again.
type position struct {
	Path   string `json:"path"`
	Offset int64  `json:"offset"`
	Print
}

type file struct {
	path, id string
	f        *os.File
	offset   int64 // of the first byte not yet read
	taken    Seen  // up to the first byte that is in no batch: rest and record lie between it and offset
	acked    Seen  // up to the first byte not yet acknowledged
	changed  time.Time
	rest     []byte
	record   []byte // lines of a record whose end is not known yet
	joined   int
	since    time.Time // something came, or the file was found to be gone
	gone     bool      // renamed or removed: read to its end, then let go
}

// New reads the positions.
func New(c Config) (*Tailer, error) {
	t := &Tailer{cfg: c, files: map[string]*file{}, saved: map[string]position{}, blank: map[string]bool{}}
	if t.cfg.Poll <= 0 {
		t.cfg.Poll = 250 * time.Millisecond
	}
	if t.cfg.Linger <= 0 {
		t.cfg.Linger = linger
	}
	if t.cfg.Logger == nil {
		t.cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Multiline != "" {
		t.begin = regexp.MustCompile(c.Multiline) // Validate read it
	}
	data, err := os.ReadFile(c.Positions)
	switch {
	case errors.Is(err, os.ErrNotExist):
		t.fresh = true
	case err != nil:
		return nil, fmt.Errorf("positions: %w", err)
	default:
		if err := json.Unmarshal(data, &t.saved); err != nil { // written whole or not at all; somebody else's file
			return nil, problem.New(problem.Invalid, "%s holds no positions: %v", c.Positions, err).WithMend("remove it; files are then read from their beginning")
		}
	}
	return t, nil
}

// Run follows the files until ctx ends. While Send does not take lines nothing
// more is read: the files are the buffer.
func (t *Tailer) Run(ctx context.Context) error {
	defer t.close()
	tick := time.NewTicker(t.cfg.Poll)
	defer tick.Stop()
	t.discover()
	t.rotated()
	for ; ; t.discover() {
		t.fresh = false
		for more := true; more && ctx.Err() == nil; {
			more = false
			for _, f := range t.ordered() {
				again, err := t.read(ctx, f)
				if err != nil && ctx.Err() == nil {
					t.cfg.Logger.WarnContext(ctx, "a file is not read", "path", f.path, "error", err)
				}
				more = more || again
			}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func (t *Tailer) ordered() []*file {
	list := make([]*file, 0, len(t.files))
	for _, f := range t.files {
		list = append(list, f)
	}
	sort.Slice(list, func(i, j int) bool { // the older of a name first
		a, b := list[i], list[j]
		return a.path < b.path || a.path == b.path && a.gone && !b.gone
	})
	return list
}

func (t *Tailer) close() {
	for _, f := range t.files {
		_ = f.f.Close()
	}
}

// discover opens what is new and notes what was renamed or removed.
func (t *Tailer) discover() {
	seen := map[string]bool{}
	for _, pattern := range t.cfg.Paths {
		matches, _ := filepath.Glob(pattern) // the pattern was read in New
		t.sayBlank(pattern, len(matches) == 0)
		for _, path := range matches {
			info, err := os.Stat(path)
			if err != nil || !info.Mode().IsRegular() {
				continue
			}
			id := identity(info)
			seen[id] = true
			if f := t.files[id]; f != nil {
				f.path = path
				continue
			}
			if len(t.files) >= maxFiles {
				t.cfg.Logger.Warn("too many files are followed already", "path", path, "limit", maxFiles)
				continue
			}
			switch same, err := t.open(path, path, id); {
			case err != nil:
				t.cfg.Logger.Warn("a file is not read", "path", path, "error", err)
			case !same:
				t.cfg.Logger.Info("a file is not the one that was read before, and is read from its beginning", "path", path)
			}
		}
	}
	for id, f := range t.files {
		if gone := !seen[id]; gone != f.gone {
			f.gone, f.since = gone, time.Now()
		}
	}
}

// sayBlank warns, once until that changes, of a pattern that matches nothing.
func (t *Tailer) sayBlank(pattern string, blank bool) {
	if blank && !t.blank[pattern] {
		t.cfg.Logger.Warn("no file matches; it is looked for again and again", "pattern", pattern)
	}
	t.blank[pattern] = blank
}

// rotated opens files that were renamed while nobody followed them, if they are
// in their directory still, for what of them was not read.
func (t *Tailer) rotated() {
	for id, p := range t.saved {
		if t.files[id] != nil || len(t.files) >= maxFiles {
			continue
		}
		name := Renamed(p.Path, func(info os.FileInfo) bool { return identity(info) == id })
		if name == "" {
			continue
		}
		same, err := t.open(p.Path, name, id)
		if err != nil {
			t.cfg.Logger.Warn("a file that was renamed is not read to its end", "path", name, "error", err)
			continue
		}
		f := t.files[id]
		if !same { // another file got the number
			_ = f.f.Close()
			delete(t.files, id)
			delete(t.saved, id)
			continue
		}
		f.gone, f.since = true, time.Now()
	}
}

func identity(info os.FileInfo) string {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("%d-%d", st.Dev, st.Ino)
	}
	return info.Name()
}

// open follows the file called name, whose lines are told to be of path. same is
// false if it is not the file that was read before under this id.
func (t *Tailer) open(path, name, id string) (same bool, err error) {
	h, err := os.Open(name)
	if err != nil {
		return false, err
	}
	f := &file{path: path, id: id, f: h}
	info, err := h.Stat()
	if err != nil {
		_ = h.Close()
		return false, err
	}
	same = true
	switch p, known := t.saved[id]; {
	case known:
		f.acked, same = Resume(h, p.Offset, p.Print)
	case t.fresh && t.cfg.FromEnd:
		f.acked, _ = Resume(h, info.Size(), Print{}) // one that was cut meanwhile is read from its beginning
	}
	f.taken, f.offset = f.acked, f.acked.Offset()
	t.files[id] = f
	return same, nil
}

// read takes what a file has, hands it over and keeps the position. more tells
// whether there may be more at once.
func (t *Tailer) read(ctx context.Context, f *file) (more bool, err error) {
	info, err := f.f.Stat()
	if err != nil {
		return false, err
	}
	buf := make([]byte, 128<<10)
	var batch []Line
	size := 0
	now := time.Now()
	touched := info.Size() != f.offset || !info.ModTime().Equal(f.changed)
	if f.changed = info.ModTime(); info.Size() < f.offset || touched && !f.taken.Still(f.f) {
		t.cfg.Logger.InfoContext(ctx, "a file was truncated and is read from its beginning", "path", f.path)
		batch = t.finish(f, batch, now) // what was read of it is nowhere else
		f.offset, f.taken, f.acked = 0, Seen{}, Seen{}
	}
	for len(batch) < maxBatch && size < maxBytes {
		n, err := f.f.ReadAt(buf, f.offset)
		if n > 0 {
			f.offset += int64(n)
			f.rest = append(f.rest, buf[:n]...)
			f.since = now
			before := len(batch)
			batch = t.cut(f, batch, now)
			for _, l := range batch[before:] {
				size += len(l.Text)
			}
		}
		if errors.Is(err, io.EOF) || n == 0 {
			break
		}
		if err != nil {
			return false, err
		}
		more = true
	}
	ended := f.gone && !more && now.Sub(f.since) > t.cfg.Linger // who wrote to it may have it open still
	switch {
	case ended:
		batch = t.finish(f, batch, now)
	case len(f.record) > 0 && now.Sub(f.since) > patience: // nothing more belongs to it
		batch = t.flush(f, batch, now)
	}
	if len(batch) > 0 {
		if err := t.send(ctx, batch); err != nil {
			f.back()
			return false, err
		}
	}
	f.acked = f.taken
	if len(batch) > 0 {
		t.saved[f.id] = position{Path: f.path, Offset: f.acked.Offset(), Print: f.acked.Print()}
	}
	if ended {
		_ = f.f.Close()
		delete(t.files, f.id)
		delete(t.saved, f.id)
	}
	if ended || len(batch) > 0 {
		t.keep()
	}
	return more, nil
}

// back forgets what was read and not acknowledged.
func (f *file) back() {
	f.taken, f.offset, f.rest, f.record, f.joined = f.acked, f.acked.Offset(), nil, nil, 0
}

// finish takes what of a file is no whole line or record, and will not be.
func (t *Tailer) finish(f *file, batch []Line, now time.Time) []Line {
	if len(f.record) > 0 {
		batch = t.flush(f, batch, now)
	}
	if len(f.rest) > 0 {
		batch = append(batch, Line{f.path, clean(f.rest), now})
		f.taken.Add(f.rest)
		f.rest = nil
	}
	return batch
}

// send hands a batch over until it is taken or ctx ends.
func (t *Tailer) send(ctx context.Context, batch []Line) error {
	for wait := 200 * time.Millisecond; ; wait = min(2*wait, maxWait) {
		err := t.cfg.Send(ctx, batch)
		if err == nil || ctx.Err() != nil {
			return err
		}
		t.cfg.Logger.WarnContext(ctx, "lines were not taken; they are sent again", "lines", len(batch), "wait", wait.String(), "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
	}
}

// cut takes the whole lines of what was read.
func (t *Tailer) cut(f *file, batch []Line, now time.Time) []Line {
	for {
		i := bytes.IndexByte(f.rest, '\n')
		if i < 0 {
			if len(f.rest) > maxLine { // an endless line is cut where it is
				i = maxLine - 1
			} else {
				return batch
			}
		}
		line := f.rest[:i+1]
		f.rest = f.rest[i+1:]
		if t.begin == nil {
			f.taken.Add(line)
			if text := clean(line); text != "" {
				batch = append(batch, Line{f.path, text, now})
			}
			continue
		}
		if len(f.record) > 0 && (t.begin.Match(bytes.TrimRight(line, "\r\n")) || f.joined >= maxJoined || len(f.record)+len(line) > maxLine) {
			batch = t.flush(f, batch, now)
		}
		f.record = append(f.record, line...)
		f.joined++
	}
}

func (t *Tailer) flush(f *file, batch []Line, now time.Time) []Line {
	if text := clean(f.record); text != "" {
		batch = append(batch, Line{f.path, text, now})
	}
	f.taken.Add(f.record)
	f.record, f.joined = nil, 0
	return batch
}

func clean(b []byte) string {
	b = bytes.TrimRight(b, "\r\n\x00")
	if len(b) > maxLine {
		b = b[:maxLine]
	}
	return string(bytes.ToValidUTF8(b, []byte("\uFFFD")))
}

// keep writes the positions, whole or not at all.
func (t *Tailer) keep() {
	if t.cfg.Positions == "" {
		return
	}
	data, err := json.Marshal(t.saved)
	if err == nil {
		err = writeWhole(t.cfg.Positions, data)
	}
	if err != nil {
		t.cfg.Logger.Warn("positions are not kept: after a restart lines come again", "error", err)
	}
}

func writeWhole(path string, data []byte) error {
	next := path + ".next"
	f, err := os.OpenFile(next, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close(), os.Rename(next, path))
}
