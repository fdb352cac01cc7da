package elasticsearch

import (
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/match"
)

// dateForm is one of the forms in which a request writes dates and wants them
// written.
type dateForm struct {
	epoch  time.Duration             // a number of these since 1970
	layout string                    // of package time; empty: ISO 8601 in full or in part
	rest   func(time.Time) time.Time // the last moment of what the layout leaves out
}

// isoMillis is how Elasticsearch writes dates unless told otherwise.
const isoMillis = "2006-01-02T15:04:05.000Z07:00"

// formsOf reads a format: names and patterns of Java's DateTimeFormatter, with ||
// between them. Of none it is ISO 8601.
func formsOf(format any) ([]dateForm, error) {
	text, ok := format.(string)
	if !ok || text == "" {
		if format != nil && !ok {
			return nil, parsing("[format] is a text, found [%.60v]", format)
		}
		return []dateForm{{}}, nil
	}
	var all []dateForm
	for one := range strings.SplitSeq(text, "||") {
		f, err := formOf(one)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

func formOf(name string) (dateForm, error) {
	switch strings.TrimPrefix(name, "strict_") {
	case "date_optional_time", "date_optional_time_nanos", "date_time", "iso8601":
		return dateForm{}, nil
	case "epoch_millis":
		return dateForm{epoch: time.Millisecond}, nil
	case "epoch_second":
		return dateForm{epoch: time.Second}, nil
	case "date", "year_month_day":
		name = "yyyy-MM-dd"
	case "basic_date":
		name = "yyyyMMdd"
	case "date_time_no_millis":
		name = "yyyy-MM-dd'T'HH:mm:ssXXX"
	case "date_hour_minute_second":
		name = "yyyy-MM-dd'T'HH:mm:ss"
	}
	return patternForm(name)
}

// javaParts are what the letters of a pattern are in a layout of package time.
var javaParts = map[string]string{
	"yyyy": "2006", "uuuu": "2006", "yy": "06", "MM": "01", "M": "1", "MMM": "Jan", "MMMM": "January", "dd": "02", "d": "2",
	"HH": "15", "hh": "03", "h": "3", "mm": "04", "m": "4", "ss": "05", "s": "5", "a": "PM", "EEE": "Mon", "EEEE": "Monday",
	"X": "Z07", "XX": "Z0700", "XXX": "Z07:00", "Z": "-0700", "xxx": "-07:00",
}

func patternForm(pattern string) (dateForm, error) {
	var layout strings.Builder
	smallest := byte('y')
	for i := 0; i < len(pattern); {
		c := pattern[i]
		n := len(pattern[i:]) - len(strings.TrimLeft(pattern[i:], string(c)))
		part := pattern[i : i+n]
		i += n
		switch {
		case c == 'S' && strings.HasSuffix(layout.String(), ".") || c == 'S' && strings.HasSuffix(layout.String(), ","):
			layout.WriteString(strings.Repeat("0", n))
			smallest = c
		case javaParts[part] != "":
			layout.WriteString(javaParts[part])
			if at := strings.IndexByte("yMdHms", c); at > strings.IndexByte("yMdHms", smallest) && smallest != 'S' {
				smallest = c
			}
		case c == '\'' && n == 1:
			end := strings.IndexByte(pattern[i:], '\'')
			if end < 0 || strings.Trim(pattern[i:i+end], "TZ -/:.,") != "" {
				return dateForm{}, uncovered("date format", pattern)
			}
			layout.WriteString(pattern[i : i+end])
			i += end + 1
		case strings.Trim(part, " -/:.,") == "":
			layout.WriteString(part)
		default:
			return dateForm{}, uncovered("date format", pattern)
		}
	}
	f := dateForm{layout: layout.String()}
	for at, unit := range map[byte]func(time.Time) time.Time{
		'y': func(t time.Time) time.Time { return t.AddDate(1, 0, 0) }, 'M': func(t time.Time) time.Time { return t.AddDate(0, 1, 0) },
		'd': func(t time.Time) time.Time { return t.AddDate(0, 0, 1) }, 'H': func(t time.Time) time.Time { return t.Add(time.Hour) },
		'm': func(t time.Time) time.Time { return t.Add(time.Minute) }, 's': func(t time.Time) time.Time { return t.Add(time.Second) },
	} {
		if at == smallest {
			f.rest = func(t time.Time) time.Time { return unit(t).Add(-1) }
		}
	}
	return f, nil
}

// parseDate reads a date in one of the forms, or date math. With up a date in
// part means its last moment.
func parseDate(text string, forms []dateForm, now time.Time, up bool, zone *time.Location) (t time.Time, err error) {
	if strings.HasPrefix(text, "now") {
		return isoDate(text, now, up, zone)
	}
	base, math, _ := strings.Cut(text, "||")
	for _, f := range forms {
		if f.layout == "" && f.epoch == 0 {
			if t, err = isoDate(text, now, up, zone); err == nil {
				return t, nil
			}
			continue
		}
		if t, err = f.read(base, up && math == "", zone); err == nil {
			if math != "" {
				return isoDate(t.Format(time.RFC3339Nano)+"||"+math, now, up, zone)
			}
			return t, nil
		}
	}
	return t, err
}

func isoDate(text string, now time.Time, up bool, zone *time.Location) (time.Time, error) {
	t, err := match.Date(text, now, up, zone)
	if err != nil {
		return t, parsing("%v", err)
	}
	return t, nil
}

func (f *dateForm) read(text string, up bool, zone *time.Location) (time.Time, error) {
	if f.epoch > 0 {
		n, err := strconv.ParseFloat(text, 64)
		if limit := float64(9e18 / float64(f.epoch)); err != nil || n > limit || n < -limit || n != n {
			return time.Time{}, parsing("failed to parse date field [%.60s] with the format given", text)
		}
		whole := int64(n)
		return time.Unix(0, whole*int64(f.epoch)+int64((n-float64(whole))*float64(f.epoch))).UTC(), nil
	}
	t, err := time.ParseInLocation(f.layout, text, zone)
	if err != nil || t.Year() < 1678 || t.Year() > 2261 {
		return t, parsing("failed to parse date field [%.60s] with the format given", text)
	}
	if up && f.rest != nil {
		t = f.rest(t)
	}
	return t, nil
}

// write is a moment in the form.
func (f *dateForm) write(ns int64, zone *time.Location) string {
	t := time.Unix(0, ns).In(zone)
	switch {
	case f.epoch > 0:
		return strconv.FormatInt(t.UnixMilli()/(int64(f.epoch)/1e6), 10)
	case f.layout == "":
		return t.Format(isoMillis)
	}
	return t.Format(f.layout)
}

// datesWritten is what the values of a field are like that dateRange compares
// rightly.
const (
	momentWritten = `^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$`
	dayWritten    = `^\d{4}-\d\d-\d\d$`
	datesWritten  = `^(\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?|-?\d+)$`
)

// dateRange compares a field other than @timestamp with a moment. Its values are
// moments in UTC, days, or milliseconds since 1970; the caller makes sure of it.
func dateRange(field, op string, t time.Time) event.Filter {
	t = t.UTC()
	second, day := t.Format("2006-01-02T15:04:05"), t.Format("2006-01-02")
	from, ms := second, t.UnixMilli()
	if t.Nanosecond() != 0 {
		from += strings.TrimRight(t.Format(".000000000"), "0")
	}
	same := event.Regexp(field, "^"+strings.ReplaceAll(from, ".", `\.`)+"0*Z$")
	if t.Nanosecond() == 0 {
		same = event.Regexp(field, "^"+from+`(\.0+)?Z$`)
	}
	// By its bytes a second without a fraction comes behind those with one.
	before := event.LessThan(field, event.String(from))
	if t.Nanosecond() != 0 {
		before = event.Or(before, event.Equals(field, event.String(second+"Z")))
	}
	midnight := t.Equal(t.Truncate(24 * time.Hour))
	if (op == "<" || op == ">=") && t.Nanosecond()%1e6 != 0 {
		ms++
	}
	var moments, days, numbers event.Filter
	switch op {
	case "<":
		moments, numbers = before, event.LessThan(field, event.Int(ms))
	case "<=":
		moments, numbers = event.Or(before, same), event.AtMost(field, event.Int(ms))
	case ">":
		moments, numbers = event.Not(event.Or(before, same)), event.MoreThan(field, event.Int(ms))
	case ">=":
		moments, numbers = event.Not(before), event.AtLeast(field, event.Int(ms))
	}
	switch {
	case op == "<" && midnight:
		days = event.LessThan(field, event.String(day))
	case op == "<" || op == "<=":
		days = event.AtMost(field, event.String(day))
	case op == ">=" && midnight:
		days = event.AtLeast(field, event.String(day))
	default:
		days = event.MoreThan(field, event.String(day))
	}
	return event.Or(event.And(event.Regexp(field, momentWritten), moments), event.And(event.Regexp(field, dayWritten), days), numbers)
}
