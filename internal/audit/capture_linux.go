package audit

import (
	"bytes"
	"os"
	"regexp"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// Limits of the output of one process.
const (
	keepHead  = 256 << 10
	keepTail  = 16 << 10
	floodSize = 64 << 20 // after this much it is not read any more
)

// capture reads the output of a process, counts it, and keeps its beginning
// and its end.
type capture struct {
	in, out *os.File

	mu      sync.Mutex
	wake    *sync.Cond
	stalled bool
	closed  bool
	total   int64
	head    []byte
	tail    []byte
	flood   chan struct{} // closed once it is too much
}

func newCapture() (*capture, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c := &capture{in: w, out: r, flood: make(chan struct{})}
	c.wake = sync.NewCond(&c.mu)
	return c, nil
}

// read reads until the end, the flood, or close.
func (c *capture) read() {
	buf := make([]byte, 32<<10)
	for {
		c.mu.Lock()
		for c.stalled && !c.closed {
			c.wake.Wait()
		}
		c.mu.Unlock()
		n, err := c.out.Read(buf)
		if c.take(buf[:n]) || err != nil {
			return
		}
	}
}

// take counts what was read and tells whether it is enough.
func (c *capture) take(b []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.total += int64(len(b))
	if room := keepHead - len(c.head); room > 0 {
		c.head = append(c.head, b[:min(room, len(b))]...)
	}
	c.tail = append(c.tail, b...)
	if over := len(c.tail) - keepTail; over > 0 {
		c.tail = append(c.tail[:0], c.tail[over:]...)
	}
	if c.total > floodSize && !c.closed {
		select {
		case <-c.flood:
		default:
			close(c.flood)
		}
		return true
	}
	return c.closed
}

// flooded tells whether it was too much.
func (c *capture) flooded() bool {
	select {
	case <-c.flood:
		return true
	default:
		return false
	}
}

// stall stops reading, with a pipe as small as it can be. It returns how full
// the pipe is whenever it is asked.
func (c *capture) stall() (filled func() bool) {
	c.mu.Lock()
	c.stalled = true
	c.mu.Unlock()
	raw, err := c.out.SyscallConn()
	if err != nil {
		return func() bool { return false }
	}
	_ = raw.Control(func(fd uintptr) { _, _ = unix.FcntlInt(fd, unix.F_SETPIPE_SZ, 4096) }) // a larger pipe fills later
	return func() bool {
		full := false
		_ = raw.Control(func(fd uintptr) {
			size, _ := unix.FcntlInt(fd, unix.F_GETPIPE_SZ, 0)
			n, err := unix.IoctlGetInt(int(fd), unix.TIOCINQ)
			full = err == nil && n > size-1024
		})
		return full
	}
}

func (c *capture) close() {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	c.wake.Broadcast()
	c.out.Close()
}

func (c *capture) bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}

// contains tells whether what was kept of the output holds text.
func (c *capture) contains(text string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return bytes.Contains(c.head, []byte(text)) || bytes.Contains(c.tail, []byte(text))
}

// names tells whether a line of the output names a variable. A line of source
// code in a stack trace does not: it asks for the variable.
func (c *capture) names(variable string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, text := range [][]byte{c.head, c.tail} {
		for line := range bytes.Lines(text) {
			if bytes.Contains(line, []byte(variable)) && !asks.Match(line) {
				return true
			}
		}
	}
	return false
}

// complaint matches lines that say what went wrong.
var complaint = regexp.MustCompile(`(?i)error|fatal|panic|exception|required|cannot|failed|denied|in use`)

// lastLine is the last line of the output that complains, else the last with
// something in it, shortened.
func (c *capture) lastLine() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	last := ""
	lines := strings.Split(strings.ToValidUTF8(string(c.tail), "�"), "\n")
	for i := len(lines) - 1; i >= 0; i-- {
		line := printable(lines[i])
		if complaint.MatchString(line) {
			return shortened(line)
		}
		if last == "" {
			last = line
		}
	}
	if last == "" {
		return "it wrote nothing"
	}
	return shortened(last)
}

func shortened(line string) string {
	if len(line) <= 300 {
		return line
	}
	return strings.ToValidUTF8(line[:300], "") + "…"
}

// printable is the line without what would move a terminal's cursor.
func printable(line string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return ' '
		}
		return r
	}, line))
}
