// Package syslog reads syslog messages, RFC 5424 and the older BSD form that RFC
// 3164 describes, from datagrams and from streams framed by octet counts or by
// line ends (RFC 6587).
package syslog

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
)

// Message is one message. What it does not say is empty; a text that is no
// syslog at all is a Message of its Text alone.
type Message struct {
	Facility, Severity int // -1: not said
	Time               time.Time
	Host, App, Proc    string
	ID                 string
	Data               []event.Field // structured data: id.name
	Text               string
	notes              record.Notes
}

// MaxMessage bounds one message; more is cut.
const MaxMessage = 256 << 10

// Parse reads a message; it never fails. now gives the year that the older form
// leaves out, in its time zone.
func Parse(s string, now time.Time) Message {
	m := Message{Facility: -1, Severity: -1}
	s = strings.TrimRight(m.notes.Valid(s), "\r\n\x00")
	m.Text = s
	rest, ok := m.priority(s)
	if !ok {
		return m
	}
	if after, ok := strings.CutPrefix(rest, "1 "); ok {
		if n, ok := parse5424(m, after); ok {
			return n
		}
	}
	return parse3164(m, rest, now)
}

// priority reads <N>.
func (m *Message) priority(s string) (rest string, ok bool) {
	end := strings.IndexByte(s, '>')
	if !strings.HasPrefix(s, "<") || end < 2 || end > 4 {
		return s, false
	}
	n, err := strconv.Atoi(s[1:end])
	if err != nil || n < 0 || n > 191 {
		return s, false
	}
	m.Facility, m.Severity = n/8, n%8
	return s[end+1:], true
}

// parse5424 reads what follows "<N>1 ".
func parse5424(m Message, s string) (Message, bool) {
	var parts [5]string
	for i := range parts {
		part, rest, ok := strings.Cut(s, " ")
		if !ok && i < 4 || part == "" {
			return m, false
		}
		if part != "-" {
			parts[i] = part
		}
		s = rest
	}
	if parts[0] != "" {
		t, err := time.Parse(time.RFC3339Nano, parts[0])
		if err != nil {
			return m, false
		}
		m.Time = t
	}
	m.Host, m.App, m.Proc, m.ID = parts[1], parts[2], parts[3], parts[4]
	if after, ok := strings.CutPrefix(s, "-"); ok {
		s = after
	} else {
		var ok bool
		if m.Data, s, ok = structured(s); !ok {
			return m, false
		}
	}
	m.Text = strings.TrimPrefix(strings.TrimPrefix(s, " "), "\uFEFF")
	return m, true
}

// maxData bounds the parameters of one message.
const maxData = 500

// structured reads [id name="value" …]…
func structured(s string) (data []event.Field, rest string, ok bool) {
	if !strings.HasPrefix(s, "[") {
		return nil, s, false
	}
	for strings.HasPrefix(s, "[") {
		end := strings.IndexAny(s, " ]")
		if end < 2 {
			return nil, s, false
		}
		id := s[1:end]
		s = s[end:]
		for strings.HasPrefix(s, " ") {
			s = strings.TrimLeft(s, " ")
			if strings.HasPrefix(s, "]") {
				break
			}
			name, after, found := strings.Cut(s, `="`)
			if !found || name == "" || strings.ContainsAny(name, `" ]`) || len(data) >= maxData {
				return nil, s, false
			}
			var b strings.Builder
			i := 0
			for ; i < len(after) && after[i] != '"'; i++ {
				if after[i] == '\\' && i+1 < len(after) && strings.IndexByte(`"\]`, after[i+1]) >= 0 {
					i++
				}
				b.WriteByte(after[i])
			}
			if i == len(after) {
				return nil, s, false
			}
			data = append(data, event.Field{Name: "syslog.data." + id + "." + name, Value: event.String(b.String())})
			s = after[i+1:]
		}
		if !strings.HasPrefix(s, "]") {
			return nil, s, false
		}
		s = s[1:]
	}
	return data, s, true
}

// parse3164 reads "Jan  2 03:04:05 host tag[pid]: text" as far as it is there;
// times in RFC 3339 too, as rsyslog can send them.
func parse3164(m Message, s string, now time.Time) Message {
	if len(s) >= 15 {
		if t, err := time.ParseInLocation(time.Stamp, s[:15], now.Location()); err == nil {
			m.Time = withYear(t, now)
			s = strings.TrimPrefix(s[15:], " ")
		}
	}
	if m.Time.IsZero() {
		if first, rest, ok := strings.Cut(s, " "); ok {
			if t, err := time.Parse(time.RFC3339Nano, first); err == nil {
				m.Time, s = t, rest
			}
		}
	}
	if !m.Time.IsZero() {
		if host, rest, ok := strings.Cut(s, " "); ok && host != "" && !strings.ContainsAny(host, ":[") {
			m.Host, s = host, rest
		}
	}
	if tag, rest, ok := strings.Cut(s, ":"); ok && tag != "" && len(tag) <= 64 && !strings.Contains(tag, " ") {
		app, proc, has := strings.Cut(tag, "[")
		if proc, closed := strings.CutSuffix(proc, "]"); !has || closed {
			m.App, m.Proc, s = app, proc, strings.TrimPrefix(rest, " ")
		}
	}
	m.Text = s
	return m
}

// withYear puts a time without a year near now: a message of December read in
// January is of the last year.
func withYear(t, now time.Time) time.Time {
	t = time.Date(now.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), 0, now.Location())
	if t.Sub(now) > 30*24*time.Hour {
		return t.AddDate(-1, 0, 0)
	}
	return t
}

var facilities = [...]string{"kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "ntp", "audit", "console", "clock",
	"local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}

// Event makes the event of a message that came from an address.
func (m *Message) Event(from string, now time.Time) (event.Event, record.Notes) {
	notes := m.notes
	var fields []event.Field
	add := func(name, value string) {
		if value != "" {
			fields = append(fields, event.Field{Name: name, Value: event.String(value)})
		}
	}
	if !m.Time.IsZero() {
		fields = append(fields, event.Field{Name: event.TimeField, Value: event.Time(m.Time.UnixNano())})
	}
	if text := strings.TrimPrefix(m.Text, "@cee:"); strings.HasPrefix(strings.TrimSpace(text), "{") {
		if parsed, more, err := record.Flatten([]byte(strings.TrimSpace(text))); err == nil {
			fields = append(fields, parsed...)
			notes.Add(more)
		}
	}
	if len(fields) < 2 {
		add(event.MessageField, m.Text)
	}
	if m.Facility >= 0 {
		add("syslog.facility", facilities[m.Facility])
		add(event.LevelField, record.SyslogLevel(m.Severity))
	}
	add("process.pid", m.Proc)
	add("syslog.msgid", m.ID)
	add("client.address", from)
	fields = append(fields, m.Data...)
	e, more := record.Event(fields, record.Defaults{Dataset: "syslog", Service: m.App, Host: m.Host, Now: now})
	notes.Add(more)
	return e, notes
}

// Frames reads messages from a stream: each begins with its length in octets, or
// ends with a line end or a zero.
type Frames struct{ r *bufio.Reader }

// NewFrames reads from r.
func NewFrames(r io.Reader) *Frames { return &Frames{bufio.NewReaderSize(r, 64<<10)} }

// Next is the next message; io.EOF at the end. An octet count over MaxMessage
// ends the stream with ErrFrame, because nothing after it can be told apart.
func (f *Frames) Next() (string, error) {
	for {
		n, err := f.count()
		if err != nil {
			return "", err
		}
		if n > 0 {
			b := make([]byte, n)
			_, err := io.ReadFull(f.r, b)
			return string(b), err
		}
		line, err := f.line()
		if line != "" || err != nil {
			return line, err
		}
	}
}

// ErrFrame ends a stream whose messages cannot be told apart any more.
var ErrFrame = errors.New("the length of a message is too large")

// count takes the octet count that a message may begin with, digits and a blank;
// 0: it begins otherwise, and ends with its line.
func (f *Frames) count() (n int, err error) {
	const most = len("99999999") // digits
	for digits := 0; ; digits++ {
		head, err := f.r.Peek(digits + 1)
		if err != nil {
			if digits > 0 && errors.Is(err, io.EOF) {
				return 0, nil
			}
			return 0, err
		}
		c := head[digits]
		switch {
		case c == ' ' && digits > 0:
			if n > MaxMessage || digits > most {
				return 0, ErrFrame
			}
			_, err := f.r.Discard(digits + 1)
			return n, err
		case c < '0' || c > '9' || digits == 0 && c == '0', digits > 2*most:
			return 0, nil
		}
		n = min(10*n+int(c-'0'), MaxMessage+1)
	}
}

func (f *Frames) line() (string, error) {
	var b []byte
	for {
		c, err := f.r.ReadByte()
		if err != nil {
			if errors.Is(err, io.EOF) && len(b) > 0 {
				return string(b), nil
			}
			return "", err
		}
		if c == '\n' || c == 0 {
			return strings.TrimRight(string(b), "\r"), nil
		}
		if len(b) < MaxMessage {
			b = append(b, c)
		}
	}
}
