package joda

import (
	"strings"
	"testing"
	"time"
)

var base = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func TestParse(t *testing.T) {
	for _, c := range []struct{ pattern, locale, text, want string }{
		{"dd/MMM/yyyy:HH:mm:ss Z", "", "17/May/2015:10:05:03 +0200", "2015-05-17T08:05:03Z"},
		{"MMM  d HH:mm:ss", "", "Jan  7 01:02:03", "2026-01-07T01:02:03Z"},
		{"MMM dd HH:mm:ss", "", "December 17 01:02:03", "2026-12-17T01:02:03Z"},
		{"yyyy-MM-dd HH:mm:ss,SSS", "", "2015-05-17 10:05:03,25", "2015-05-17T10:05:03.25Z"},
		{"yyyyMMddHHmmssSSS", "", "20150517100503123", "2015-05-17T10:05:03.123Z"},
		{"EEE, dd MMM yyyy hh:mm:ss a z", "", "Sun, 17 May 2015 12:05:03 PM EST", "2015-05-17T17:05:03Z"},
		{"yy/M/d 'at' K''m a", "", "15/5/7 at 11'5 pm", "2015-05-07T23:05:00Z"},
		{"dd MMMM yyyy", "de_AT", "3 März 2020", "2020-03-03T00:00:00Z"},
		{"dd MMM yyyy", "fr", "3 févr. 2020", "2020-02-03T00:00:00Z"},
		{"xxxx-'W'ww-e", "", "2020-W53-7", "2021-01-03T00:00:00Z"},
		{"yyyy-DDD", "", "2020-366", "2020-12-31T00:00:00Z"},
		{"yyyy-MM-dd'T'HH:mm:ssZZ", "", "2020-01-02T03:04:05-03:30", "2020-01-02T06:34:05Z"},
		{"HH:mm ZZZ", "", "10:00 Europe/Vienna", "2026-03-04T09:00:00Z"},
		{"yyyy-MM-dd HH:mm:ss.SSSSSSSSS", "", "2020-01-02 03:04:05.123456789", "2020-01-02T03:04:05.123456789Z"},
		{"yyyy-MM-dd", "", "2015-02-29", "no day"},
		{"yyyy-MM-dd", "", "2015-13-01", "does not fit"},
		{"yyyy-MM-dd", "", "2015-12-01 x", "goes on after"},
	} {
		l, err := Parse(c.pattern, c.locale)
		if err != nil {
			t.Fatal(c.pattern, err)
		}
		got, err := l.Parse(c.text, base, time.UTC)
		if err != nil && !strings.Contains(err.Error(), c.want) || err == nil && got.UTC().Format(time.RFC3339Nano) != c.want {
			t.Errorf("%q by %q: %s, %v, want %s", c.text, c.pattern, got.UTC().Format(time.RFC3339Nano), err, c.want)
		}
	}
	for pattern, want := range map[string]string{"yyyy-bb": "letter b", "yyyy 'x": "not closed"} {
		if _, err := Parse(pattern, ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

func TestFormat(t *testing.T) {
	at := time.Date(2015, 5, 7, 13, 4, 5, 678e6, time.FixedZone("", 2*3600))
	for pattern, want := range map[string]string{
		"yyyy.MM.dd": "2015.05.07", "YYYY.MM.dd": "2015.05.07", "xxxx.ww": "2015.19", "yy-M-d H:m:s.SSS": "15-5-7 13:4:5.678",
		"EEE EEEE MMM MMMM hh a Z ZZ": "Thu Thursday May May 01 PM +0200 +02:00", "D e k 'it''s'": "127 4 13 it's",
	} {
		l, err := Parse(pattern, "")
		if err != nil {
			t.Fatal(err)
		}
		if got := l.Format(at); got != want {
			t.Errorf("%q: %q, want %q", pattern, got, want)
		}
	}
}

// What a pattern writes it reads back, and nothing makes it panic.
func FuzzLayout(f *testing.F) {
	f.Add("yyyy-MM-dd HH:mm:ss.SSS Z", "2020-01-02 03:04:05.678 +0100", int64(1e18))
	f.Add("EEE dd MMM yyyy hh:mm:ss a", "Thu 07 May 2015 01:04:05 PM", int64(0))
	f.Add("xxxx ww e''", "2020 53 7'", int64(-5))
	f.Fuzz(func(t *testing.T, pattern, text string, nanos int64) {
		l, err := Parse(pattern, "")
		if err != nil {
			return
		}
		at := time.Unix(0, nanos).UTC()
		_ = l.Format(at)
		got, err := l.Parse(text, base, time.UTC)
		if err != nil || pattern != "yyyy-MM-dd HH:mm:ss.SSS Z" {
			return
		}
		again, err := l.Parse(l.Format(got), base, time.UTC)
		if err != nil || !again.Equal(got.Truncate(time.Millisecond)) {
			t.Fatalf("%q is %s, written %q, read %s, %v", text, got, l.Format(got), again, err)
		}
	})
}
