package schedule

import (
	"context"
	"fmt"
	"net/mail"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Event is one span of an imported calendar, with the words by which the person may be found.
type Event struct {
	UID     string
	Summary string
	Person  string   // of a calendar that daytwo wrote
	Emails  []string // of those who attend
	Span
}

// MaxCalendar is how many bytes a calendar that is read may have.
const MaxCalendar = 3 << 20

// Limits of a calendar that is read. Each is over the whole file: what reading costs grows with its bytes, not with what they stand for.
const (
	maxEvents      = 10_000
	maxOccurrences = 100_000 // of rules, looked at
	maxExceptions  = 10_000
	maxZones       = 100  // named in it
	maxZoneName    = 128  // bytes
	maxText        = 1024 // bytes of a summary, a UID or a person; what is longer is cut
	maxAddress     = 320  // bytes of an e-mail address; a longer one is none
	linesPerLook   = 1024 // after which it is asked whether the caller still waits
)

// ParseICal reads the events of a calendar (RFC 5545) that meet the span, in the order of the file, with those that repeat laid out.
// Times without a zone, and whole days, are in loc. What is cancelled is left out. A property that decides when somebody is on call
// and is not understood is an error, never a guess. It stops when ctx ends.
func ParseICal(ctx context.Context, data []byte, loc *time.Location, within Span) ([]Event, error) {
	events, _, err := parseICal(ctx, data, loc, within)
	return events, err
}

// parseICal also says how many occurrences of rules were looked at.
func parseICal(ctx context.Context, data []byte, loc *time.Location, within Span) (events []Event, looked int, err error) {
	if len(data) > MaxCalendar {
		return nil, 0, problem.New(problem.TooLarge, "the calendar is larger than %d MiB", MaxCalendar>>20)
	}
	lines := unfold(string(data))
	if len(lines) == 0 || !strings.EqualFold(strings.TrimSpace(lines[0].text), "BEGIN:VCALENDAR") {
		return nil, 0, problem.New(problem.Invalid, "this is not a calendar: it does not begin with BEGIN:VCALENDAR").
			WithMend("give a file or an address that ends in .ics")
	}
	r := calendarReader{loc: loc, zones: map[string]*time.Location{}}
	components, err := r.components(ctx, lines)
	if err != nil {
		return nil, 0, err
	}
	l := layout{within: within}
	err = l.all(ctx, components)
	return l.events, l.looked, err
}

// contentLine is one unfolded line and where it begins in the file.
type contentLine struct {
	number int
	text   string
}

func unfold(s string) (lines []contentLine) {
	var line strings.Builder
	number := 0 // of the line that is being built
	flush := func() {
		if text := line.String(); strings.TrimSpace(text) != "" {
			lines = append(lines, contentLine{number, text})
		}
		line = strings.Builder{}
	}
	i := 0
	for part := range strings.SplitSeq(s, "\n") {
		i++
		part = strings.TrimSuffix(part, "\r")
		switch {
		case number > 0 && (strings.HasPrefix(part, " ") || strings.HasPrefix(part, "\t")):
			line.WriteString(part[1:])
		case strings.TrimSpace(part) != "":
			flush()
			number = i
			line.WriteString(part)
		}
	}
	flush()
	return lines
}

// property is NAME;PARAM=value:value.
type property struct {
	line   int
	name   string
	params map[string]string
	value  string
}

func (p property) errorf(mend, format string, args ...any) error {
	return problem.New(problem.Invalid, "line %d of the calendar: %s", p.line, fmt.Sprintf(format, args...)).WithMend("%s", mend)
}

func parseProperty(l contentLine) (property, error) {
	p := property{line: l.number, params: map[string]string{}}
	rest := l.text
	name, quoted := 0, false
	for name < len(rest) && (quoted || rest[name] != ':') {
		quoted = quoted != (rest[name] == '"')
		name++
	}
	if name == len(rest) {
		return p, p.errorf("write NAME:value", "%q is no property", clip(rest))
	}
	head := rest[:name]
	p.value = rest[name+1:]
	for i, part := range splitOutside(head, ';') {
		if i == 0 {
			p.name = strings.ToUpper(strings.TrimSpace(part))
			continue
		}
		key, value, _ := strings.Cut(part, "=")
		p.params[strings.ToUpper(key)] = strings.Trim(value, `"`)
	}
	return p, nil
}

// splitOutside splits at sep outside of double quotes.
func splitOutside(s string, sep byte) (parts []string) {
	start, quoted := 0, false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case s[i] == sep && !quoted:
			parts = append(parts, s[start:i])
			start = i + 1
		}
	}
	return append(parts, s[start:])
}

// component is one VEVENT as it stands in the file.
type component struct {
	Event
	line       int
	duration   *wallSpan
	start      wallTime
	end        *wallTime
	rule       *rule
	except     map[int64]bool // the moments, in seconds, at which it does not start
	exceptDays map[int64]bool // the days of its wall clock on which it does not start
	recurrence *wallTime      // it replaces the occurrence of that start
	cancelled  bool
}

// calendarReader reads the components of one file.
type calendarReader struct {
	loc      *time.Location
	zones    map[string]*time.Location // by the name in the file
	excepted int                       // dates so far
}

func (r *calendarReader) components(ctx context.Context, lines []contentLine) (list []component, err error) {
	var open []string
	var current *component
	for i, l := range lines {
		if err := ctx.Err(); i%linesPerLook == 0 && err != nil {
			return nil, err
		}
		p, err := parseProperty(l)
		if err != nil {
			if current == nil {
				continue // of other components nothing is asked
			}
			return nil, err
		}
		switch value := strings.ToUpper(strings.TrimSpace(p.value)); {
		case p.name == "BEGIN":
			if open = append(open, value); len(open) > 16 {
				return nil, p.errorf("", "components are nested more than 16 deep")
			}
			if value == "VEVENT" && len(open) == 2 {
				current = &component{line: p.line}
			}
		case p.name == "END":
			if len(open) == 0 || open[len(open)-1] != value {
				return nil, p.errorf("is the file whole?", "END:%s without its BEGIN", clip(value))
			}
			if open = open[:len(open)-1]; current != nil && len(open) == 1 {
				if err := current.finish(); err != nil {
					return nil, err
				}
				if list = append(list, *current); len(list) > maxEvents {
					return nil, problem.New(problem.TooLarge, "the calendar has more than %d events", maxEvents)
				}
				current = nil
			}
		case current != nil && len(open) == 2:
			if err := r.read(current, p); err != nil {
				return nil, err
			}
		}
	}
	if len(open) > 0 {
		return nil, problem.New(problem.Invalid, "the calendar ends before END:%s", clip(open[len(open)-1])).WithMend("is the file whole?")
	}
	return list, nil
}

func (r *calendarReader) read(c *component, p property) (err error) {
	switch p.name {
	case "UID":
		c.UID = unescapeText(p.value)
	case "SUMMARY":
		c.Summary = unescapeText(p.value)
	case "X-DAYTWO-PERSON":
		c.Person = unescapeText(p.value)
	case "STATUS":
		c.cancelled = strings.EqualFold(strings.TrimSpace(p.value), "CANCELLED")
	case "ATTENDEE":
		if scheme, address, ok := strings.Cut(p.value, ":"); ok && strings.EqualFold(scheme, "mailto") && len(address) <= maxAddress {
			if a, err := mail.ParseAddress(address); err == nil {
				c.Emails = append(c.Emails, a.Address)
			}
		}
	case "DTSTART":
		c.start, err = r.wall(p, p.value)
	case "DTEND":
		var end wallTime
		end, err = r.wall(p, p.value)
		c.end = &end
	case "DURATION":
		c.duration, err = parseSpan(p)
	case "RRULE":
		c.rule, err = r.rule(p)
	case "RDATE":
		return p.errorf("write the dates as events of their own", "RDATE is not understood")
	case "EXDATE":
		return r.exceptions(c, p)
	case "RECURRENCE-ID":
		var at wallTime
		at, err = r.wall(p, p.value)
		c.recurrence = &at
		if err == nil && strings.EqualFold(p.params["RANGE"], "THISANDFUTURE") {
			return p.errorf("end the series and begin another", "RANGE=THISANDFUTURE is not understood")
		}
	}
	return err
}

func (r *calendarReader) exceptions(c *component, p property) error {
	if c.except == nil {
		c.except, c.exceptDays = map[int64]bool{}, map[int64]bool{}
	}
	for v := range strings.SplitSeq(p.value, ",") {
		if r.excepted++; r.excepted > maxExceptions {
			return problem.New(problem.TooLarge, "line %d: the calendar excepts more than %d dates", p.line, maxExceptions).
				WithMend("write the shifts that remain as events of their own")
		}
		t, err := r.wall(p, v)
		if err != nil {
			return err
		}
		if t.date {
			c.exceptDays[t.wall] = true
		}
		c.except[t.instant().Unix()] = true
	}
	return nil
}

// excepts tells whether the file takes the occurrence out that starts then.
func (c *component) excepts(start wallTime, at time.Time) bool {
	return c.except[at.Unix()] || c.exceptDays[start.wall-floorMod(start.wall, day)]
}

// finish checks a component that was read to its end.
func (c *component) finish() error {
	at := property{line: c.line}
	switch {
	case c.start.zone.loc == nil:
		return at.errorf("add DTSTART", "the event has no start")
	case c.end != nil && c.duration != nil:
		return at.errorf("keep one of them", "the event has an end and a duration")
	}
	span := c.occurrence(c.start)
	if c.end != nil && !span.End.After(span.Start) {
		return at.errorf("let it end after it starts", "the event ends at %s, not after its start", span.End.Format(time.RFC3339))
	}
	return nil
}

// occurrence is the span of the event if it starts at a wall-clock time.
func (c *component) occurrence(start wallTime) Span {
	s := Span{Start: start.instant()}
	switch {
	case c.duration != nil: // RFC 5545: days are those of the wall clock, hours are exact
		s.End = wallTime{start.zone, start.wall + c.duration.days*day, false}.instant().Add(c.duration.exact)
	case c.end != nil && c.rule == nil && c.start.wall == start.wall:
		s.End = c.end.instant()
	case c.end != nil:
		s.End = wallTime{start.zone, start.wall + c.end.in(start.zone) - c.start.wall, false}.instant()
	case c.start.date:
		s.End = wallTime{start.zone, start.wall + day, false}.instant()
	default:
		s.End = s.Start
	}
	return s
}

// wallTime is a time as a calendar writes it.
type wallTime struct {
	zone zone
	wall int64
	date bool // a whole day
}

func (t wallTime) instant() time.Time { return t.zone.instant(t.wall) }

// in is what the clock of a zone shows then.
func (t wallTime) in(z zone) int64 {
	if t.zone.loc == z.loc || t.zone.loc.String() == z.loc.String() {
		return t.wall
	}
	return z.wall(t.instant())
}

func (r *calendarReader) wall(p property, value string) (wallTime, error) {
	value = strings.TrimSpace(value)
	z := zone{r.loc}
	if id := p.params["TZID"]; id != "" {
		named, err := r.zone(p, id)
		if err != nil {
			return wallTime{}, err
		}
		z = zone{named}
	}
	if len(value) == 8 {
		t, err := time.Parse("20060102", value)
		return wallTime{z, t.Unix(), true}, p.timeFault(t, value, err)
	}
	if bare, ok := strings.CutSuffix(value, "Z"); ok {
		z, value = zone{time.UTC}, bare
	}
	t, err := time.Parse("20060102T150405", value)
	return wallTime{z, t.Unix(), false}, p.timeFault(t, value, err)
}

func (p property) timeFault(t time.Time, value string, err error) error {
	if err != nil || t.Year() < 1970 {
		return p.errorf("write 20260102T090000Z, or 20260102", "%q is not a time from 1970 on", clip(value))
	}
	return nil
}

// zone also takes names that carry where they are from, as in /example.org/2009/Europe/Paris.
func (r *calendarReader) zone(p property, id string) (*time.Location, error) {
	if loc := r.zones[id]; loc != nil {
		return loc, nil
	}
	if len(r.zones) == maxZones {
		return nil, problem.New(problem.TooLarge, "line %d: the calendar names more than %d time zones", p.line, maxZones)
	}
	for name := strings.Trim(id, "/"); name != "" && len(id) <= maxZoneName; _, name, _ = strings.Cut(name, "/") {
		if loc, err := time.LoadLocation(name); err == nil && name != "Local" {
			r.zones[id] = loc
			return loc, nil
		}
	}
	return nil, p.errorf("use a name of the IANA list such as Europe/Paris", "%q is not a time zone", clip(id))
}

// wallSpan is a DURATION: days of the wall clock and an exact time.
type wallSpan struct {
	days  int64
	exact time.Duration
}

var spanForm = regexp.MustCompile(`^\+?P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?$`)

func parseSpan(p property) (*wallSpan, error) {
	m := spanForm.FindStringSubmatch(strings.ToUpper(strings.TrimSpace(p.value)))
	if m == nil {
		return nil, p.errorf("write PT8H or P1D", "%q is not a duration", clip(p.value))
	}
	n := func(i int) int64 { v, _ := strconv.ParseInt(m[i], 10, 64); return v }
	s := &wallSpan{n(1)*7 + n(2), time.Duration(n(3)*3600+n(4)*60+n(5)) * time.Second}
	if s.days == 0 && s.exact == 0 {
		return nil, p.errorf("write PT8H or P1D", "the event lasts no time")
	}
	return s, nil
}

func unescapeText(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		if i++; s[i] == 'n' || s[i] == 'N' {
			b.WriteByte('\n')
		} else {
			b.WriteByte(s[i])
		}
	}
	text := strings.ToValidUTF8(b.String(), "�")
	if end := maxText; len(text) > end {
		for !utf8.RuneStart(text[end]) {
			end--
		}
		text = text[:end]
	}
	return text
}
