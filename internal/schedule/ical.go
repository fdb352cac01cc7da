package schedule

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Entry is one event of a feed.
type Entry struct {
	UID     string
	Summary string
	Person  string
	Email   string // of the person; may be empty
	Span
	URL string
}

// Entries are the events of shifts of the schedule of that id, under the name given. The UID of a shift stays as long as its person
// and start do.
func Entries(id, name, url string, shifts []Shift, called func(person string) (name, email string)) []Entry {
	list := make([]Entry, 0, len(shifts))
	for _, s := range byPerson(shifts) {
		who, email := called(s.Person)
		sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d", id, s.Person, s.Start.Unix()))
		list = append(list, Entry{UID: hex.EncodeToString(sum[:12]) + "@daytwo", Summary: "On call: " + who + " (" + name + ")",
			Person: s.Person, Email: email, Span: s.Span, URL: url})
	}
	return list
}

// ICal writes a calendar (RFC 5545) that calendar programs subscribe to. now stamps its events.
func ICal(name string, entries []Entry, now time.Time) []byte {
	var b strings.Builder
	line := func(format string, args ...any) { fold(&b, fmt.Sprintf(format, args...)) }
	line("BEGIN:VCALENDAR")
	line("VERSION:2.0")
	line("PRODID:-//daytwo//on-call//EN")
	line("CALSCALE:GREGORIAN")
	line("METHOD:PUBLISH")
	line("X-WR-CALNAME:%s", escapeText(name))
	line("REFRESH-INTERVAL;VALUE=DURATION:PT30M")
	line("X-PUBLISHED-TTL:PT30M")
	for _, e := range entries {
		line("BEGIN:VEVENT")
		line("UID:%s", escapeText(e.UID))
		line("DTSTAMP:%s", utc(now))
		line("DTSTART:%s", utc(e.Start))
		line("DTEND:%s", utc(e.End))
		line("SUMMARY:%s", escapeText(e.Summary))
		if e.Email != "" {
			line("ATTENDEE;CN=%s:mailto:%s", quoteParam(e.Person), strings.Map(printable, e.Email))
		}
		line("X-DAYTWO-PERSON:%s", escapeText(e.Person))
		if e.URL != "" {
			line("URL:%s", strings.Map(printable, e.URL))
		}
		line("TRANSP:TRANSPARENT")
		line("END:VEVENT")
	}
	line("END:VCALENDAR")
	return []byte(b.String())
}

func utc(t time.Time) string { return t.UTC().Format("20060102T150405Z") }

var escaper = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\r\n", `\n`, "\n", `\n`)

// escapeText writes a value of type TEXT. Control characters have no place in one.
func escapeText(s string) string {
	return strings.Map(printable, escaper.Replace(strings.ToValidUTF8(s, "�")))
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return -1
	}
	return r
}

func quoteParam(s string) string {
	return `"` + strings.ReplaceAll(strings.Map(printable, strings.ToValidUTF8(s, "�")), `"`, "'") + `"`
}

// fold writes a content line, broken into pieces of at most 75 bytes between characters.
func fold(b *strings.Builder, s string) {
	room := 75
	for len(s) > room {
		cut := room
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		b.WriteString(s[:cut] + "\r\n ")
		s, room = s[cut:], 74
	}
	b.WriteString(s + "\r\n")
}
