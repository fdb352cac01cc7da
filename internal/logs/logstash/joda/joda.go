// Package joda reads and writes times by the patterns of Joda-Time's DateTimeFormat, which Logstash's date filter and its field
// templates use: yyyy-MM-dd HH:mm:ss,SSS and so on.
package joda

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Layout is a pattern that was read. It may be used by many goroutines.
type Layout struct {
	pattern string
	parts   []part
	lang    *language
	fields  map[byte]bool
}

// part is a letter with how often it stands, or text.
type part struct {
	letter byte // 0: text
	count  int
	text   string
	next   bool // a number follows at once, so that this one must not take its digits
}

// maxPattern bounds a pattern.
const maxPattern = 500

// Parse reads a pattern. locale is a BCP 47 tag or Java's en_US; its language names months and days. An unknown language is English.
func Parse(pattern, locale string) (*Layout, error) {
	if len(pattern) > maxPattern {
		return nil, problem.New(problem.TooLarge, "the time pattern is longer than %d characters", maxPattern).WithMend("write a shorter one")
	}
	l := &Layout{pattern: pattern, lang: languageOf(locale), fields: map[byte]bool{}}
	for i := 0; i < len(pattern); {
		c := pattern[i]
		switch {
		case c == '\'':
			text, n, err := quoted(pattern[i:])
			if err != nil {
				return nil, err
			}
			l.text(text)
			i += n
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			n := 1
			for i+n < len(pattern) && pattern[i+n] == c {
				n++
			}
			if strings.IndexByte("GCYxwweEyDMdaKhHkmsSzZ", c) < 0 {
				return nil, problem.New(problem.Invalid, "letter %c in time pattern %q means nothing", c, pattern).
					WithMend("put it in single quotes if it is text; the letters are G C Y x w e E y D M d a K h H k m s S z Z")
			}
			l.parts = append(l.parts, part{letter: c, count: n})
			l.fields[c] = true
			i += n
		default:
			_, n := utf8.DecodeRuneInString(pattern[i:])
			l.text(pattern[i : i+n])
			i += n
		}
	}
	for i := range l.parts[:max(0, len(l.parts)-1)] {
		l.parts[i].next = l.parts[i+1].number()
	}
	return l, nil
}

func quoted(s string) (text string, length int, err error) {
	if strings.HasPrefix(s, "''") {
		return "'", 2, nil
	}
	var out strings.Builder
	for i := 1; i < len(s); i++ {
		switch {
		case strings.HasPrefix(s[i:], "''"):
			out.WriteByte('\'')
			i++
		case s[i] == '\'':
			return out.String(), i + 1, nil
		default:
			out.WriteByte(s[i])
		}
	}
	return "", 0, problem.New(problem.Invalid, "a quote in the time pattern is not closed").WithMend("close it with ', or write '' for the character")
}

func (l *Layout) text(s string) {
	if n := len(l.parts); n > 0 && l.parts[n-1].letter == 0 {
		l.parts[n-1].text += s
		return
	}
	l.parts = append(l.parts, part{text: s})
}

// number tells whether a part is written in digits only.
func (p part) number() bool {
	switch p.letter {
	case 0, 'a', 'G', 'E', 'z', 'Z':
		return false
	case 'M':
		return p.count < 3
	}
	return true
}

// String is the pattern.
func (l *Layout) String() string { return l.pattern }

// HasYear tells whether the pattern has a year.
func (l *Layout) HasYear() bool { return l.fields['y'] || l.fields['Y'] || l.fields['x'] }

// Format writes t, in its zone, by the pattern.
func (l *Layout) Format(t time.Time) string {
	var out strings.Builder
	for _, p := range l.parts {
		p.format(&out, t, l.lang)
	}
	return out.String()
}

func (p part) format(out *strings.Builder, t time.Time, lang *language) {
	padded := func(n int) { fmt.Fprintf(out, "%0*d", p.count, n) }
	switch p.letter {
	case 0:
		out.WriteString(p.text)
	case 'G':
		out.WriteString("AD")
	case 'C':
		padded(t.Year() / 100)
	case 'y', 'Y':
		year(out, p.count, t.Year())
	case 'x':
		y, _ := t.ISOWeek()
		year(out, p.count, y)
	case 'w':
		_, w := t.ISOWeek()
		padded(w)
	case 'e':
		padded((int(t.Weekday())+6)%7 + 1)
	case 'E':
		out.WriteString(pick(lang.days[t.Weekday()], p.count >= 4))
	case 'D':
		padded(t.YearDay())
	case 'M':
		if p.count >= 3 {
			out.WriteString(pick(lang.months[t.Month()-1], p.count >= 4))
		} else {
			padded(int(t.Month()))
		}
	case 'd':
		padded(t.Day())
	case 'a':
		out.WriteString([]string{"AM", "PM"}[t.Hour()/12])
	case 'K':
		padded(t.Hour() % 12)
	case 'h':
		padded((t.Hour()+11)%12 + 1)
	case 'H':
		padded(t.Hour())
	case 'k':
		padded((t.Hour()+23)%24 + 1)
	case 'm':
		padded(t.Minute())
	case 's':
		padded(t.Second())
	case 'S':
		digits := fmt.Sprintf("%09d", t.Nanosecond())
		for len(digits) < p.count {
			digits += "0"
		}
		out.WriteString(digits[:p.count])
	case 'z':
		name, _ := t.Zone()
		out.WriteString(name)
	case 'Z':
		zone(out, p.count, t)
	}
}

func year(out *strings.Builder, count, y int) {
	if count == 2 {
		fmt.Fprintf(out, "%02d", ((y%100)+100)%100)
		return
	}
	fmt.Fprintf(out, "%0*d", count, y)
}

func zone(out *strings.Builder, count int, t time.Time) {
	switch {
	case count >= 3:
		out.WriteString(t.Location().String())
	case count == 2:
		out.WriteString(t.Format("-07:00"))
	default:
		out.WriteString(t.Format("-0700"))
	}
}

// Parse reads s by the pattern. What the pattern lacks comes from base: the year alone if there is a month; without a date at all, the
// date. zone holds where s names none.
func (l *Layout) Parse(s string, base time.Time, zone *time.Location) (time.Time, error) {
	r := reading{s: s, lang: l.lang, hour: -1, half: -1, zone: zone}
	base = base.In(zone)
	for _, p := range l.parts {
		if !r.part(p) {
			return time.Time{}, problem.New(problem.Invalid, "%q does not fit %q at %q", clip(s), l.pattern, clip(s[r.i:]))
		}
	}
	if r.i < len(s) {
		return time.Time{}, problem.New(problem.Invalid, "%q goes on after %q with %q", clip(s), l.pattern, clip(s[r.i:]))
	}
	t, ok := r.time(base)
	if !ok {
		return time.Time{}, problem.New(problem.Invalid, "%q is no day or time that there is", clip(s))
	}
	return t, nil
}

func clip(s string) string {
	if len(s) > 60 {
		return s[:57] + "…"
	}
	return s
}

// reading is how far a text was read, and what it said.
type reading struct {
	s                       string
	i                       int
	lang                    *language
	yr, mo, day, doy        int
	weekYear, week, weekday int
	hasYear, hasMonth       bool
	hasDay, hasDoy          bool
	hasWeek                 bool
	hour, half              int // hour -1: not said; half 0: am, 1: pm
	hour12                  bool
	min, sec, nano          int
	zone                    *time.Location
}

func (r *reading) part(p part) bool {
	switch p.letter {
	case 0:
		return r.literal(p.text)
	case 'G':
		return r.literalFold("AD") || r.literalFold("BC")
	case 'a':
		if r.literalFold("AM") {
			r.half = 0
			return true
		}
		r.half = 1
		return r.literalFold("PM")
	case 'E':
		for d, names := range r.lang.days {
			if r.name(names) {
				r.weekday = (d+6)%7 + 1
				return true
			}
		}
		return false
	case 'M':
		if p.count >= 3 {
			return r.month()
		}
	case 'z':
		return r.zoneName()
	case 'Z':
		return r.offset(p.count)
	case 'S':
		return r.fraction(p)
	}
	return r.numeric(p)
}

func (r *reading) literal(text string) bool {
	if !strings.HasPrefix(r.s[r.i:], text) {
		return false
	}
	r.i += len(text)
	return true
}

func (r *reading) literalFold(text string) bool {
	if len(r.s)-r.i < len(text) || !strings.EqualFold(r.s[r.i:r.i+len(text)], text) {
		return false
	}
	r.i += len(text)
	return true
}

// name takes the long form before the short one.
func (r *reading) name(names [2]string) bool {
	return r.literalFold(names[1]) || r.literalFold(names[0]) || r.literalFold(strings.TrimSuffix(names[0], "."))
}

func (r *reading) month() bool {
	for m, names := range r.lang.months {
		if r.name(names) {
			r.mo, r.hasMonth = m+1, true
			return true
		}
	}
	return false
}

// digits reads up to most digits, with a sign if that is allowed.
func (r *reading) digits(most int, signed bool) (n, count int, ok bool) {
	negative := false
	if signed && r.i < len(r.s) && (r.s[r.i] == '-' || r.s[r.i] == '+') && r.i+1 < len(r.s) && unicode.IsDigit(rune(r.s[r.i+1])) {
		negative = r.s[r.i] == '-'
		r.i++
	}
	for count < most && r.i < len(r.s) && r.s[r.i] >= '0' && r.s[r.i] <= '9' {
		n = n*10 + int(r.s[r.i]-'0')
		r.i++
		count++
	}
	if negative {
		n = -n
	}
	return n, count, count > 0
}

func (r *reading) numeric(p part) bool {
	width := map[byte]int{'C': 2, 'y': 9, 'Y': 9, 'x': 9, 'D': 3, 'e': 1}[p.letter]
	if width == 0 {
		width = 2
	}
	if p.next && (width > p.count || p.letter == 'y' || p.letter == 'Y') {
		width = max(p.count, 1)
	}
	n, count, ok := r.digits(width, width == 9)
	if !ok {
		return false
	}
	switch p.letter {
	case 'y', 'Y':
		if p.count == 2 && count == 2 {
			n = pivot(n)
		}
		r.yr, r.hasYear = n, true
		return n >= -9999 && n <= 9999
	case 'x':
		r.weekYear, r.hasWeek = n, true
		return n >= 0 && n <= 9999
	case 'w':
		r.week, r.hasWeek = n, true
		return n >= 1 && n <= 53
	case 'e':
		r.weekday = n
		return n >= 1 && n <= 7
	case 'D':
		r.doy, r.hasDoy = n, true
		return n >= 1 && n <= 366
	case 'M':
		r.mo, r.hasMonth = n, true
		return n >= 1 && n <= 12
	case 'd':
		r.day, r.hasDay = n, true
		return n >= 1 && n <= 31
	case 'H':
		r.hour = n
		return n <= 23
	case 'k':
		r.hour = n % 24
		return n >= 1 && n <= 24
	case 'K':
		r.hour, r.hour12 = n, true
		return n <= 11
	case 'h':
		r.hour, r.hour12 = n%12, true
		return n >= 1 && n <= 12
	case 'm':
		r.min = n
		return n <= 59
	case 's':
		r.sec = n
		return n <= 59
	}
	return true
}

// pivot places a year of two digits within fifty years of now.
func pivot(n int) int {
	start := time.Now().Year() - 50
	y := start - start%100 + n
	if y < start {
		y += 100
	}
	return y
}

func (r *reading) fraction(p part) bool {
	most := 9
	if p.next {
		most = p.count
	}
	from := r.i
	for r.i < len(r.s) && r.i-from < max(most, p.count) && r.s[r.i] >= '0' && r.s[r.i] <= '9' {
		r.i++
	}
	digits := r.s[from:r.i]
	for i := range 9 {
		r.nano *= 10
		if i < len(digits) {
			r.nano += int(digits[i] - '0')
		}
	}
	return digits != ""
}

// offset reads Z, +01, +0100, +01:00 or, of ZZZ, a zone's name.
func (r *reading) offset(count int) bool {
	if count >= 3 {
		end := r.i
		for end < len(r.s) && (r.s[end] == '/' || r.s[end] == '_' || r.s[end] == '-' || r.s[end] == '+' || r.s[end] >= '0' && r.s[end] <= '9' || unicode.IsLetter(rune(r.s[end]))) {
			end++
		}
		zone, err := time.LoadLocation(r.s[r.i:end])
		if err == nil && end > r.i {
			r.i, r.zone = end, zone
			return true
		}
	}
	if r.literalFold("Z") {
		r.zone = time.UTC
		return true
	}
	if r.i >= len(r.s) || r.s[r.i] != '+' && r.s[r.i] != '-' {
		return false
	}
	sign := 1
	if r.s[r.i] == '-' {
		sign = -1
	}
	r.i++
	hours, n, _ := r.digits(2, false)
	if n != 2 || hours > 23 {
		return false
	}
	minutes := 0
	before := r.i
	r.literal(":")
	if m, n, _ := r.digits(2, false); n == 2 && m < 60 {
		minutes = m
	} else {
		r.i = before
	}
	if seconds := sign * (hours*3600 + minutes*60); seconds == 0 {
		r.zone = time.UTC
	} else {
		r.zone = time.FixedZone("", seconds)
	}
	return true
}

// zoneName reads the abbreviations that mean one offset to Joda-Time.
func (r *reading) zoneName() bool {
	for _, z := range zoneNames {
		if r.literal(z.name) {
			r.zone = time.FixedZone(z.name, z.hours*3600)
			return true
		}
	}
	return false
}

var zoneNames = []struct {
	name  string
	hours int
}{
	{"UTC", 0}, {"UT", 0}, {"GMT", 0}, {"EST", -5}, {"EDT", -4}, {"CST", -6}, {"CDT", -5}, {"MST", -7}, {"MDT", -6}, {"PST", -8}, {"PDT", -7}, {"Z", 0},
}

// time puts together what was read.
func (r *reading) time(base time.Time) (time.Time, bool) {
	year, month, day := base.Date()
	switch {
	case r.hasWeek:
		return r.weekTime(year)
	case r.hasYear:
		year = r.yr
		if month = 1; r.hasMonth {
			month = time.Month(r.mo)
		}
		if day = 1; r.hasDay {
			day = r.day
		}
	case r.hasMonth:
		month = time.Month(r.mo)
		if day = 1; r.hasDay {
			day = r.day
		}
	case r.hasDay:
		day = r.day
	}
	if r.hasDoy {
		month, day = 1, r.doy
		t := r.clock(year, month, day)
		return t, t.In(r.zone).Year() == year
	}
	t := r.clock(year, month, day)
	check := time.Date(year, month, day, 12, 0, 0, 0, time.UTC)
	return t, check.Month() == month && check.Day() == day
}

func (r *reading) clock(year int, month time.Month, day int) time.Time {
	hour := max(r.hour, 0)
	if r.hour12 && r.half == 1 {
		hour += 12
	}
	return time.Date(year, month, day, hour, r.min, r.sec, r.nano, r.zone)
}

func (r *reading) weekTime(year int) (time.Time, bool) {
	if r.weekYear > 0 {
		year = r.weekYear
	}
	weekday := max(r.weekday, 1)
	fourth := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC) // always in week 1
	monday := fourth.AddDate(0, 0, -((int(fourth.Weekday()) + 6) % 7))
	d := monday.AddDate(0, 0, (max(r.week, 1)-1)*7+weekday-1)
	return r.clock(d.Year(), d.Month(), d.Day()), true
}
