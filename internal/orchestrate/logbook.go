package orchestrate

import (
	"bufio"
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
	maxLines    = 10_000  // kept in memory
	maxTail     = 4 << 20 // bytes kept in memory
	maxLine     = 8 << 10 // longer lines are split
	maxFile     = 8 << 20 // then the file is rotated; one old one is kept
	floodRate   = 1 << 20 // bytes a second beyond which lines are dropped …
	floodBurst  = 4 << 20 // … after this many at once
	lineTime    = "2006-01-02T15:04:05.000000Z"
	lineMinimum = len(lineTime) + len(" out ")
)

// Line is one line that a workload wrote, or that was noted about it.
type Line struct {
	Seq    int64     `json:"seq" doc:"counts up while daytwo runs"`
	Time   time.Time `json:"time"`
	Stream string    `json:"stream" enum:"out,err,sys" doc:"sys: noted by daytwo"`
	Text   string    `json:"text"`
}

// logbook keeps the latest lines of a workload in memory and in two files. A
// flood is thinned, and says so; writing never blocks the process for longer
// than a disk write.
type logbook struct {
	path string
	now  func() time.Time

	mu      sync.Mutex
	lines   []Line
	bytes   int
	seq     int64
	file    *os.File
	size    int64
	tokens  float64
	filled  time.Time
	dropped int
	broken  bool // the file cannot be written; said once
}

// openLogbook reads back the tail that is on disk. With an error the logbook
// works, but keeps its lines in memory only.
func openLogbook(path string) (*logbook, error) {
	l := &logbook{path: path, now: time.Now, tokens: floodBurst, filled: time.Now()}
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
	l.file, l.size = f, info.Size()
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

// Notef records what daytwo did.
func (l *logbook) notef(format string, args ...any) { l.write("sys", fmt.Sprintf(format, args...)) }

// read takes lines from a process's output until it ends.
func (l *logbook) read(stream string, r io.Reader) {
	b := bufio.NewReaderSize(r, maxLine)
	for {
		piece, err := b.ReadSlice('\n')
		if len(piece) > 0 {
			l.write(stream, strings.TrimRight(string(piece), "\r\n"))
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

func (l *logbook) write(stream, text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now().UTC()
	if stream != "sys" && !l.afford(now, len(text)+lineMinimum) {
		l.dropped++
		return
	}
	if l.dropped > 0 {
		n := l.dropped
		l.dropped = 0
		l.keep(now, "sys", fmt.Sprintf("%d lines were dropped: more than %d KiB a second", n, floodRate>>10))
	}
	l.keep(now, stream, strings.ToValidUTF8(text, "\uFFFD"))
}

// afford takes n bytes from the flood's allowance. Once it is used up, a part
// of it must come back first, so that gaps are few and long.
func (l *logbook) afford(now time.Time, n int) bool {
	l.tokens = min(floodBurst, l.tokens+max(0, now.Sub(l.filled).Seconds())*floodRate)
	l.filled = now
	if l.tokens < float64(n) || l.dropped > 0 && l.tokens < floodRate/4 {
		return false
	}
	l.tokens -= float64(n)
	return true
}

// keep writes one line to memory and disk. Called with mu held.
func (l *logbook) keep(now time.Time, stream, text string) {
	now = now.Truncate(time.Microsecond)
	l.remember(Line{Time: now, Stream: stream, Text: text})
	if l.file == nil {
		return
	}
	n, err := fmt.Fprintf(l.file, "%s %s %s\n", now.Format(lineTime), stream, text)
	l.size += int64(n)
	if err == nil && l.size >= maxFile {
		err = l.rotate()
	}
	if err != nil && !l.broken {
		l.broken = true
		l.remember(Line{Time: now, Stream: "sys", Text: "the log file cannot be written, only these lines are kept: " + err.Error()})
	}
}

func (l *logbook) rotate() error {
	err := errors.Join(l.file.Close(), os.Rename(l.path, l.path+".1"))
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
	if l.file != nil {
		l.file.Close()
		l.file = nil
	}
}
