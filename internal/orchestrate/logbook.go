package orchestrate

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	maxLines    = 10_000   // kept in memory
	maxTail     = 4 << 20  // bytes kept in memory
	maxLine     = 8 << 10  // longer lines are split
	maxRead     = 64 << 10 // bytes taken from a process at once
	maxFile     = 8 << 20  // then the file is rotated; one old one is kept
	floodRate   = 1 << 20  // bytes a second beyond which lines are dropped …
	floodBurst  = 4 << 20  // … after this many at once
	lineTime    = "2006-01-02T15:04:05.000000Z"
	lineMinimum = len(lineTime) + len(" out ")

	// floodPause is between two reads of a flood. Without it, dropping what a
	// process writes in a tight loop would cost what the process can spend.
	floodPause = 4 * time.Millisecond
)

// Line is one line that a workload wrote, or that was noted about it.
type Line struct {
	Seq    int64     `json:"seq" doc:"counts up while daytwo runs"`
	Time   time.Time `json:"time"`
	Stream string    `json:"stream" enum:"out,err,sys" doc:"sys: noted by daytwo"`
	Text   string    `json:"text"`
}

// logbook keeps the latest lines of a workload in memory and in two files. A
// flood is thinned: it says so once a second, is counted, and is read at no more
// than maxRead each floodPause. Short of that, writing blocks the process for no
// longer than a disk write.
type logbook struct {
	path    string
	thinned func(lines int) // counts
	hear    func(Line)      // is given each line as it comes; may be nil

	mu       sync.Mutex
	lines    []Line
	bytes    int
	seq      int64
	file     *os.File
	unsaved  *bufio.Writer // to file
	size     int64
	tokens   float64
	filled   time.Time
	flooding bool
	dropped  struct{ lines, bytes int } // and not told of yet
	telling  *time.Timer                // nil: nothing is to be told
	broken   bool                       // the file cannot be written; said once
}

// openLogbook reads back the tail that is on disk. With an error the logbook
// works, but keeps its lines in memory only.
func openLogbook(path string, thinned func(lines int)) (*logbook, error) {
	l := &logbook{path: path, thinned: thinned, tokens: floodBurst, filled: time.Now()}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return l, fmt.Errorf("log directory: %w", err)
	}
	if err := l.recallAll(); err != nil {
		return l, err
	}
	return l, l.open()
}

// readLog reads the tail of a log that nobody has open.
func readLog(path string, lines int) ([]Line, error) {
	l := &logbook{path: path}
	if err := l.recallAll(); err != nil {
		return nil, err
	}
	return l.tail(lines), nil
}

func (l *logbook) recallAll() error {
	for _, name := range []string{l.path + ".1", l.path} {
		if err := l.recall(name); err != nil {
			return fmt.Errorf("read log: %w", err)
		}
	}
	return nil
}

func (l *logbook) open() error {
	f, err := os.OpenFile(l.path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return fmt.Errorf("open log: %w", err)
	}
	l.file, l.unsaved, l.size = f, bufio.NewWriter(f), info.Size()
	return nil
}

func (l *logbook) recall(name string) error {
	f, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size() > maxTail {
		if _, err := f.Seek(-maxTail, io.SeekEnd); err != nil {
			return err
		}
	}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 2*maxLine)
	for lines.Scan() {
		s := lines.Text()
		if len(s) < lineMinimum {
			continue
		}
		if at, err := time.Parse(lineTime, s[:len(lineTime)]); err == nil {
			l.remember(Line{Time: at, Stream: s[len(lineTime)+1 : lineMinimum-1], Text: s[lineMinimum:]})
		}
	}
	return nil // what cannot be read is lost to the page, not to the file
}

// remember puts a line into memory. Called with mu held.
func (l *logbook) remember(line Line) {
	l.seq++
	line.Seq = l.seq
	l.lines = append(l.lines, line)
	l.bytes += len(line.Text)
	cut := 0
	for len(l.lines)-cut > maxLines || l.bytes > maxTail {
		l.bytes -= len(l.lines[cut].Text)
		l.lines[cut].Text = ""
		cut++
	}
	l.lines = l.lines[cut:]
}

// notef records what daytwo did.
func (l *logbook) notef(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.keep("sys", fmt.Sprintf(format, args...))
	l.save()
}

// read takes lines from a process's output until it ends.
func (l *logbook) read(stream string, r io.Reader) {
	b := make([]byte, 0, maxRead)
	for {
		n, err := r.Read(b[len(b):cap(b)])
		rest, flooding := l.take(stream, b[:len(b)+n], err != nil)
		b = append(b[:0], rest...)
		if err != nil {
			return
		}
		if flooding {
			time.Sleep(floodPause)
		}
	}
}

// take keeps or drops the lines in b and returns the beginning of one whose end
// is still to come. It tells whether some were dropped.
func (l *logbook) take(stream string, b []byte, last bool) (rest []byte, flooding bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.save()
	for len(b) > 0 {
		n, end := bytes.IndexByte(b, '\n'), 1
		if n < 0 || n > maxLine {
			if n < 0 && len(b) < maxLine && !last {
				break
			}
			n, end = min(len(b), maxLine), 0
		}
		if !l.afford(n + lineMinimum) {
			n = whole(b)
			l.drop(b[:n])
			return b[n:], true
		}
		l.keep(stream, strings.ToValidUTF8(strings.TrimRight(string(b[:n]), "\r"), "\uFFFD"))
		b = b[n+end:]
	}
	return b, false
}

// whole is how many bytes of b are lines, or parts of one that is too long.
func whole(b []byte) int {
	if n := bytes.LastIndexByte(b, '\n') + 1; len(b)-n < maxLine {
		return n
	}
	return len(b)
}

// afford takes n bytes from the flood's allowance. Once it is used up, a part
// of it must come back first, so that gaps are few and long.
func (l *logbook) afford(n int) bool {
	now := time.Now()
	l.tokens = min(floodBurst, l.tokens+max(0, now.Sub(l.filled).Seconds())*floodRate)
	l.filled = now
	if l.flooding = l.tokens < float64(n) || l.flooding && l.tokens < floodRate/4; l.flooding {
		return false
	}
	l.tokens -= float64(n)
	return true
}

// drop counts lines, which will be told of within a second.
func (l *logbook) drop(b []byte) {
	n := max(bytes.Count(b, []byte{'\n'}), len(b)/maxLine)
	l.dropped.lines += n
	l.dropped.bytes += len(b)
	l.thinned(n)
	if l.telling == nil {
		l.telling = time.AfterFunc(time.Second, l.tell)
	}
}

// tell says what was dropped in the last second, until a second is without.
func (l *logbook) tell() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.telling == nil {
		return // closed
	}
	if l.dropped.bytes == 0 {
		l.telling = nil
		return
	}
	l.account()
	l.telling.Reset(time.Second)
}

// account writes down what was dropped. Called with mu held.
func (l *logbook) account() {
	l.keep("sys", fmt.Sprintf("%d lines (%d KiB) dropped in the last second: only %d KiB a second are kept",
		l.dropped.lines, l.dropped.bytes>>10, floodRate>>10))
	l.dropped.lines, l.dropped.bytes = 0, 0
	l.save()
}

// keep writes one line to memory and on its way to disk. Called with mu held.
func (l *logbook) keep(stream, text string) {
	now := time.Now().UTC().Truncate(time.Microsecond)
	l.remember(Line{Time: now, Stream: stream, Text: text})
	if l.hear != nil {
		l.hear(l.lines[len(l.lines)-1])
	}
	if l.file == nil {
		return
	}
	n, err := fmt.Fprintf(l.unsaved, "%s %s %s\n", now.Format(lineTime), stream, text)
	l.size += int64(n)
	if err == nil && l.size >= maxFile {
		err = l.rotate()
	}
	l.blame(err)
}

// save writes to disk what is on its way. Called with mu held.
func (l *logbook) save() {
	if l.file != nil {
		l.blame(l.unsaved.Flush())
	}
}

// blame says, once, that lines cannot be written to disk, and lets the next try.
func (l *logbook) blame(err error) {
	if err == nil {
		return
	}
	if l.file != nil {
		l.unsaved.Reset(l.file)
	}
	if !l.broken {
		l.broken = true
		l.remember(Line{Time: time.Now().UTC(), Stream: "sys", Text: "the log file cannot be written, only these lines are kept: " + err.Error()})
	}
}

func (l *logbook) rotate() error {
	err := errors.Join(l.unsaved.Flush(), l.file.Close(), os.Rename(l.path, l.path+".1"))
	l.file = nil
	return errors.Join(err, l.open())
}

// tail returns the newest n lines, oldest first.
func (l *logbook) tail(n int) []Line {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]Line{}, l.lines[max(0, len(l.lines)-n):]...)
}

func (l *logbook) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.telling != nil {
		l.telling.Stop()
		l.telling = nil
		if l.dropped.bytes > 0 {
			l.account()
		}
	}
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}
