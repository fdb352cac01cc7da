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
	"hash/crc32"
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
	headSize  = 256       // bytes that tell a file from another with its number
	maxJoined = 500       // lines of one record
	patience  = time.Second
	maxWait   = 30 * time.Second
)

// Tailer follows files. Make it with New and keep Run running.
type Tailer struct {
	cfg   Config
	begin *regexp.Regexp
	files map[string]*file // by identity
	saved map[string]position
	fresh bool // no position was ever kept
}

// position is how far a file was read and acknowledged. Files are told apart by
// device and inode, and by their first bytes, because inodes are used again.
type position struct {
	Path   string `json:"path"`
	Offset int64  `json:"offset"`
	Head   uint32 `json:"head"`
	Length int    `json:"length"` // of the head
}

type file struct {
	path, id string
	f        *os.File
	offset   int64 // of the first byte not yet read
	acked    int64 // of the first byte not yet acknowledged
	rest     []byte
	record   []byte // lines of a record whose end is not known yet
	joined   int
	since    time.Time
	gone     bool // renamed or removed: read to its end, then closed
}

// New reads the positions.
func New(c Config) (*Tailer, error) {
	t := &Tailer{cfg: c, files: map[string]*file{}, saved: map[string]position{}}
	if t.cfg.Poll <= 0 {
		t.cfg.Poll = 250 * time.Millisecond
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
	for {
		t.discover()
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
	sort.Slice(list, func(i, j int) bool { return list[i].path < list[j].path })
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
			if err := t.open(path, id); err != nil {
				t.cfg.Logger.Warn("a file is not read", "path", path, "error", err)
			}
		}
	}
	for id, f := range t.files {
		f.gone = !seen[id]
	}
}

func identity(info os.FileInfo) string {
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		return fmt.Sprintf("%d-%d", st.Dev, st.Ino)
	}
	return info.Name()
}

func (t *Tailer) open(path, id string) error {
	h, err := os.Open(path)
	if err != nil {
		return err
	}
	f := &file{path: path, id: id, f: h}
	info, err := h.Stat()
	if err != nil {
		_ = h.Close()
		return err
	}
	switch p, known := t.saved[id]; {
	case known && p.Offset <= info.Size() && p.Head == head(h, p.Length):
		f.offset = p.Offset
	case t.fresh && t.cfg.FromEnd:
		f.offset = info.Size()
	}
	f.acked = f.offset
	t.files[id] = f
	return nil
}

// head is a checksum of the first bytes.
func head(h *os.File, n int) uint32 {
	b := make([]byte, n)
	n, _ = h.ReadAt(b, 0) // a shorter file has another checksum
	return crc32.ChecksumIEEE(b[:n])
}

// read takes what a file has, hands it over and keeps the position. more tells
// whether there may be more at once.
func (t *Tailer) read(ctx context.Context, f *file) (more bool, err error) {
	info, err := f.f.Stat()
	if err != nil {
		return false, err
	}
	if info.Size() < f.offset { // truncated: copytruncate of logrotate
		t.cfg.Logger.Info("a file was truncated and is read from its beginning", "path", f.path)
		f.offset, f.acked, f.rest, f.record, f.joined = 0, 0, nil, nil, 0
	}
	buf := make([]byte, 128<<10)
	var batch []Line
	size := 0
	now := time.Now()
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
	ended := f.gone && !more
	if len(f.record) > 0 && (ended || now.Sub(f.since) > patience) { // nothing more belongs to it
		batch = t.flush(f, batch, now)
	}
	if len(f.rest) > 0 && ended { // a last line without its end
		batch = append(batch, Line{f.path, clean(f.rest), now})
		f.rest = nil
	}
	if len(batch) > 0 {
		if err := t.send(ctx, batch); err != nil {
			f.back()
			return false, err
		}
	}
	f.acked = f.offset - int64(len(f.rest)) - int64(len(f.record))
	if len(batch) > 0 {
		t.keep(f)
	}
	if ended && f.acked >= info.Size() {
		_ = f.f.Close()
		delete(t.files, f.id)
		delete(t.saved, f.id)
	}
	return more, nil
}

// back forgets what was read and not acknowledged.
func (f *file) back() { f.offset, f.rest, f.record, f.joined = f.acked, nil, nil, 0 }

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
func (t *Tailer) keep(f *file) {
	length := int(min(headSize, f.acked))
	t.saved[f.id] = position{Path: f.path, Offset: f.acked, Head: head(f.f, length), Length: length}
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
