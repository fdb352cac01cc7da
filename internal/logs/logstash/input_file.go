package logstash

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/daytwo-dev/daytwo/internal/logs/tail"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// fileInput follows files, or reads them once. How far a file was read is written down when what came before has gone through the pipeline, so that
// a kill repeats lines rather than lose them.
type fileInput struct {
	paths      []string
	exclude    []string
	codec      *codec
	delimiter  string
	beginning  bool
	read       bool // mode read: to the end, once
	every      time.Duration
	discover   time.Duration
	ignoreOld  time.Duration
	exitAfter  bool
	complete   string // of mode read: what to do with a file that was read
	positions  string // the file that keeps how far was read
	memory     bool   // positions are not kept: sincedb_path is /dev/null
	compatible bool
}

func newFileInput(o *options, env Env) input {
	f := &fileInput{
		paths: o.texts("path"), exclude: o.texts("exclude"), codec: o.codec("plain"), delimiter: unescape(o.text("delimiter", "\n")),
		beginning: o.choice("start_position", "end", "beginning", "end") == "beginning", read: o.choice("mode", "tail", "tail", "read") == "read",
		every: o.lasting("stat_interval", time.Second), ignoreOld: o.lasting("ignore_older", 0), exitAfter: o.bool("exit_after_read", false),
		complete: o.choice("file_completed_action", "delete", "delete", "log", "log_and_delete"), compatible: o.compatible(),
	}
	f.discover = time.Duration(o.int("discover_interval", 15, 1, 100_000)) * f.every
	o.require("path", `"/var/log/app.log"`)
	for _, p := range f.paths {
		if !filepath.IsAbs(p) {
			v, _ := o.find("path")
			o.wrong(v.At(), "write the path from the root on", "path %q of input file is relative", p)
		}
		if _, err := filepath.Match(p, ""); err != nil {
			v, _ := o.find("path")
			o.wrong(v.At(), "mend the pattern", "path %q is no pattern of names", p)
		}
	}
	if f.read && f.complete != "log" {
		v, given := o.find("file_completed_action")
		at := o.plugin.Pos
		if given {
			at = v.At()
		}
		o.wrong(at, `write file_completed_action => "log"`, "in mode read Logstash deletes files that were read: daytwo deletes nothing")
	}
	o.ignore("file_completed_log_path", "sincedb_write_interval", "sincedb_clean_after", "close_older", "max_open_files", "file_chunk_count", "file_chunk_size", "file_sort_by", "file_sort_direction", "check_archive_validity")
	sum := sha256.Sum256([]byte(strings.Join(f.paths, "\x00")))
	f.positions = filepath.Join(env.State, "file-"+hex.EncodeToString(sum[:8])+".json")
	if s := o.text("sincedb_path", ""); s == "/dev/null" || s == "NUL" {
		f.memory = true
	} else if s != "" {
		f.positions = filepath.Join(env.State, "file-"+strings.ReplaceAll(strings.Trim(s, "/"), "/", "_")+".json")
	}
	return f
}

// lasting is a duration as number of seconds, or as "10 ms", "2 h".
func (o *options) lasting(name string, otherwise time.Duration) time.Duration {
	s := o.text(name, "")
	if s == "" {
		return otherwise
	}
	f, _ := leadingNumber(s)
	unit := strings.TrimSpace(strings.TrimLeft(s, "0123456789."))
	units := map[string]time.Duration{"": time.Second, "s": time.Second, "sec": time.Second, "second": time.Second, "seconds": time.Second,
		"ms": time.Millisecond, "msec": time.Millisecond, "us": time.Microsecond, "m": time.Minute, "min": time.Minute, "minutes": time.Minute, "minute": time.Minute,
		"h": time.Hour, "hour": time.Hour, "hours": time.Hour, "d": 24 * time.Hour, "day": 24 * time.Hour, "days": 24 * time.Hour, "w": 7 * 24 * time.Hour}
	size, ok := units[unit]
	if !ok || f < 0 {
		v, _ := o.find(name)
		o.wrong(v.At(), `write a number of seconds, or "10 ms", "2 h"`, "%s cannot be %q", name, s)
		return otherwise
	}
	return max(time.Duration(f*float64(size)), time.Millisecond)
}

// position is how far a file was read. Files are told apart by their number on the disk, so that a renamed one goes on, and by what was
// read of them, because numbers are used again and files are emptied.
type position struct {
	Path   string `json:"path"`
	Device uint64 `json:"device"`
	Inode  uint64 `json:"inode"`
	Offset int64  `json:"offset"`
	tail.Print
	seen    *tail.Seen // up to Offset; nil: not taken up since the start
	changed time.Time
	left    bool // it was found under no name that is followed, and read on
	done    bool
	d       *decoder
}

// linger is how long nothing must come to a file that was renamed until it is let go: who wrote to it may have it open still.
const linger = time.Minute

// same tells whether the file called name is still the one that was read.
func (p *position) same(name string, info fs.FileInfo) bool {
	if info.Size() < p.Offset {
		return false
	}
	if p.seen != nil && info.Size() == p.Offset && info.ModTime().Equal(p.changed) {
		return true
	}
	file, err := os.Open(name)
	if err != nil {
		return true // the next look tells
	}
	defer file.Close()
	p.changed = info.ModTime()
	if p.seen != nil {
		return p.seen.Still(file)
	}
	seen, same := tail.Resume(file, p.Offset, p.Print)
	p.seen = &seen
	return same
}

func (f *fileInput) load() ([]*position, error) {
	content, err := os.ReadFile(f.positions)
	if errors.Is(err, fs.ErrNotExist) || f.memory {
		return nil, nil
	}
	var list []*position
	if err == nil {
		err = json.Unmarshal(content, &list)
	}
	if err != nil {
		return nil, problem.New(problem.Internal, "positions in %s cannot be read: %w", f.positions, err).WithMend("remove the file: what it names is read from where start_position says")
	}
	return list, nil
}

func (f *fileInput) save(list []*position) error {
	if f.memory {
		return nil
	}
	content, err := json.Marshal(list)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(f.positions), 0o755); err != nil {
		return err
	}
	next := f.positions + ".next"
	if err := os.WriteFile(next, content, 0o600); err != nil {
		return err
	}
	return os.Rename(next, f.positions)
}

func (f *fileInput) run(ctx context.Context, in *intake) error {
	list, err := f.load()
	if err != nil {
		return err
	}
	in.ready()
	tick := time.NewTicker(f.every)
	defer tick.Stop()
	var discovered time.Time
	var names []string
	first := true
	for {
		if time.Since(discovered) >= f.discover || first {
			names, discovered = f.names(), time.Now()
		}
		for _, name := range names {
			if list, err = f.visit(ctx, in, name, list, first); err != nil {
				return err
			}
			if ctx.Err() != nil {
				return nil
			}
		}
		if err = f.renamed(ctx, in, names, list); err != nil {
			return err
		}
		if f.read && f.exitAfter {
			return nil
		}
		first = false
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// names are the files that the paths mean now.
func (f *fileInput) names() []string {
	var out []string
	for _, p := range f.paths {
		found, _ := filepath.Glob(strings.ReplaceAll(p, "**", "*"))
		for _, name := range found {
			skip := false
			for _, x := range f.exclude {
				ok, _ := filepath.Match(x, filepath.Base(name))
				skip = skip || ok
			}
			if !skip {
				out = append(out, name)
			}
		}
	}
	return out
}

// visit reads what is new in one file.
func (f *fileInput) visit(ctx context.Context, in *intake, name string, list []*position, first bool) ([]*position, error) {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return list, nil
	}
	if f.ignoreOld > 0 && time.Since(info.ModTime()) > f.ignoreOld {
		return list, nil
	}
	device, inode := identity(info)
	var p *position
	for _, known := range list {
		if known.Device == device && known.Inode == inode {
			p = known
		}
	}
	if p == nil {
		p = &position{Path: name, Device: device, Inode: inode}
		if first && !f.beginning && !f.read { // what was there before is not asked for
			p.Offset = info.Size()
		}
		list = append(list, p)
		if err := f.save(list); err != nil {
			return list, err
		}
	}
	p.Path, p.left = name, false
	return list, f.look(ctx, in, p, name, info, list)
}

// look reads what is new in the file called name, if anything is.
func (f *fileInput) look(ctx context.Context, in *intake, p *position, name string, info fs.FileInfo, list []*position) error {
	packed := f.read && strings.HasSuffix(p.Path, ".gz")
	if packed && info.Size() < p.Offset || !packed && !p.same(name, info) { // it was emptied: what is there now is new
		if p.d != nil {
			c := &chunk{f: f, in: in, p: p}
			p.d.flush(func(e *Event) { c.emit(ctx, e) })
			if err := c.settle(ctx, func() error { return nil }); err != nil {
				return err
			}
		}
		p.Offset, p.seen, p.done = 0, &tail.Seen{}, false
	}
	if p.done || info.Size() == p.Offset && (p.d == nil || !p.d.overdue(time.Now())) {
		return nil
	}
	return f.readOn(ctx, in, p, name, list)
}

// renamed reads on in files that have left the names that are followed: what was written to them before, and what somebody who has them
// open still writes, for a while.
func (f *fileInput) renamed(ctx context.Context, in *intake, names []string, list []*position) error {
	if f.read {
		return nil
	}
	followed := map[[2]uint64]bool{}
	for _, name := range names {
		if info, err := os.Stat(name); err == nil {
			device, inode := identity(info)
			followed[[2]uint64{device, inode}] = true
		}
	}
	for _, p := range list {
		if p.left || followed[[2]uint64{p.Device, p.Inode}] {
			continue
		}
		var info fs.FileInfo
		name := tail.Renamed(p.Path, func(i fs.FileInfo) bool {
			device, inode := identity(i)
			info = i
			return device == p.Device && inode == p.Inode
		})
		if name == "" || p.seen == nil && !p.same(name, info) { // another file got the number
			p.left = true
			continue
		}
		if err := f.look(ctx, in, p, name, info, list); err != nil || ctx.Err() != nil {
			return err
		}
		p.left = time.Since(info.ModTime()) > linger
	}
	return nil
}

func identity(info fs.FileInfo) (device, inode uint64) {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Dev), s.Ino
	}
	return 0, 0
}

// linesPerChunk is how many lines go out before their way through is waited for.
const linesPerChunk = 1000

// readOn reads the file called name from its position to its end, chunk by chunk.
func (f *fileInput) readOn(ctx context.Context, in *intake, p *position, name string, list []*position) error {
	file, err := os.Open(name)
	if err != nil {
		return nil // it went away: the next look tells
	}
	defer file.Close()
	if p.d == nil {
		p.d = f.codec.decoder()
	}
	var r io.Reader = file
	packed := f.read && strings.HasSuffix(p.Path, ".gz")
	if packed {
		if r, err = gzip.NewReader(file); err != nil {
			p.done = true
			return nil
		}
	} else if p.seen == nil {
		return nil // it could not be looked at: the next look tells
	} else if _, err := file.Seek(p.Offset, io.SeekStart); err != nil {
		return err
	}
	c := &chunk{f: f, in: in, p: p}
	var seen tail.Seen
	if !packed {
		seen = *p.seen
	}
	err = c.lines(ctx, r, &seen, f.read, func() error {
		if packed {
			return nil
		}
		*p.seen, p.Offset, p.Print = seen, seen.Offset(), seen.Print()
		return f.save(list)
	})
	if err != nil {
		return err
	}
	if f.read {
		p.done = true
		p.d.flush(func(e *Event) { c.emit(ctx, e) })
	} else if p.d.overdue(time.Now()) {
		p.d.flush(func(e *Event) { c.emit(ctx, e) })
	}
	if packed {
		if info, err := file.Stat(); err == nil {
			p.Offset = info.Size()
		}
	}
	return c.settle(ctx, func() error { return f.save(list) })
}

// chunk is the lines of one file that are on their way.
type chunk struct {
	f       *fileInput
	in      *intake
	p       *position
	share   *receipt
	through chan struct{}
	n       int
	failed  error
}

func (c *chunk) begin() {
	through := make(chan struct{})
	c.share, c.through, c.n = &receipt{done: func() { close(through) }}, through, 0
	c.share.share()
}

func (c *chunk) emit(ctx context.Context, e *Event) {
	if c.share == nil {
		c.begin()
	}
	if c.f.compatible {
		e.set(parseRef("[log][file][path]"), c.p.Path)
	} else if _, ok := e.fields["path"]; !ok {
		e.fields["path"] = c.p.Path
	}
	c.in.hosted(e, c.f.compatible)
	e.receipt = c.share
	c.share.share()
	if err := c.in.give(ctx, e); err != nil {
		c.failed = err
	}
}

// settle waits until the chunk has gone through and keeps the position then.
func (c *chunk) settle(ctx context.Context, keep func() error) error {
	if c.failed != nil {
		return nil // the pipeline ends; what was not kept comes again
	}
	if c.share != nil {
		c.share.settle()
		select {
		case <-c.through:
		case <-ctx.Done():
			select { // what is in the queue goes through while the pipeline drains
			case <-c.through:
			case <-time.After(drainWithin):
				return nil
			}
		}
		c.share = nil
	}
	return keep()
}

// lines reads whole lines; a last one without its end is left for the next time, unless all is read.
func (c *chunk) lines(ctx context.Context, r io.Reader, seen *tail.Seen, all bool, keep func() error) error {
	delimiter := []byte(c.f.delimiter)
	buffer := make([]byte, 0, 64<<10)
	for {
		if len(buffer) == cap(buffer) {
			buffer = append(buffer, 0)[:len(buffer)]
		}
		n, err := r.Read(buffer[len(buffer):cap(buffer)])
		buffer = buffer[:len(buffer)+n]
		rest := buffer
		for {
			at := bytes.Index(rest, delimiter)
			if at < 0 && len(rest) < maxLine {
				break
			}
			end := at + len(delimiter)
			if at < 0 {
				at, end = len(rest), len(rest)
			}
			line := bytes.TrimSuffix(rest[:at], []byte("\r"))
			c.p.d.line(line, func(e *Event) { c.emit(ctx, e) })
			seen.Add(rest[:end])
			rest = rest[end:]
			if c.n++; c.n >= linesPerChunk || c.failed != nil {
				if err := c.settle(ctx, keep); err != nil || ctx.Err() != nil || c.failed != nil {
					return err
				}
				c.n = 0
			}
		}
		buffer = buffer[:copy(buffer, rest)]
		if err != nil {
			if all && len(buffer) > 0 && errors.Is(err, io.EOF) {
				c.p.d.line(buffer, func(e *Event) { c.emit(ctx, e) })
				seen.Add(buffer)
			}
			if errors.Is(err, io.EOF) {
				return c.settle(ctx, keep)
			}
			return err
		}
	}
}
