package syslog_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/syslog"
)

var now = time.Date(2026, 1, 2, 3, 4, 6, 0, time.UTC)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		in   string
		want map[string]string
	}{
		{`<165>1 2026-01-02T03:04:05.003Z web1 app 111 ID47 [ex@1 iut="3" who="a\"b"][y z="1"] ` + "\uFEFFhello", map[string]string{
			"@timestamp": "2026-01-02T03:04:05.003Z", "host.name": "web1", "service.name": "app", "process.pid": "111", "syslog.msgid": "ID47",
			"syslog.data.ex@1.iut": "3", "syslog.data.ex@1.who": `a"b`, "syslog.data.y.z": "1", "message": "hello", "level": "info", "syslog.facility": "local4"}},
		{`<34>Jan  2 03:04:05 mymachine su[12]: 'su root' failed for x on /dev/pts/8`, map[string]string{
			"@timestamp": "2026-01-02T03:04:05Z", "host.name": "mymachine", "service.name": "su", "process.pid": "12", "message": "'su root' failed for x on /dev/pts/8", "level": "fatal"}},
		{`<13>Dec 31 23:59:59 h cron: x`, map[string]string{"@timestamp": "2025-12-31T23:59:59Z", "service.name": "cron"}},
		{`<14>1 - - - - - - only text`, map[string]string{"message": "only text", "level": "info", "host.name": ""}},
		{`no syslog at all`, map[string]string{"message": "no syslog at all", "level": ""}},
		{`<999>1 x`, map[string]string{"message": "<999>1 x"}},
		{`<14>1 2026-01-02T03:04:05Z h a - - - {"msg":"json","lvl":"error"}`, map[string]string{"message": "json", "service.name": "a"}},
		{`<14>1 2026-01-02T03:04:05Z h a - - [broken x`, map[string]string{"syslog.facility": "user"}},
	} {
		m := syslog.Parse(c.in, now)
		e, _ := m.Event("10.0.0.1", now)
		for field, want := range c.want {
			if got := e.Get(field).String(); got != want {
				t.Errorf("%s: %s is %q, want %q", c.in, field, got, want)
			}
		}
	}
}

func TestFrames(t *testing.T) {
	f := syslog.NewFrames(strings.NewReader("5 hello<13>x\r\n\n<14>y\x007 a\nb c d2026-01-02 no count\n0 no count\n<15>end"))
	var got []string
	for {
		s, err := f.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, s)
	}
	if strings.Join(got, "|") != "hello|<13>x|<14>y|a\nb c d|2026-01-02 no count|0 no count|<15>end" {
		t.Errorf("got %q", got)
	}
	if _, err := syslog.NewFrames(strings.NewReader("99999999999 x")).Next(); !errors.Is(err, syslog.ErrFrame) {
		t.Errorf("an endless message: %v", err)
	}
	if got, err := syslog.NewFrames(strings.NewReader("12345")).Next(); err != nil || got != "12345" {
		t.Errorf("a count without a message: %q, %v", got, err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add(`<165>1 2026-01-02T03:04:05.003Z web1 app 111 ID47 [ex iut="3"] hello`)
	f.Add(`<34>Jan  2 03:04:05 mymachine su[12]: failed`)
	f.Add(`<14>1 - - - - - [a b="\]"]`)
	f.Fuzz(func(t *testing.T, s string) {
		m := syslog.Parse(s, now)
		if e, _ := m.Event("", now); e.Get(event.KindField).String() != event.KindLog {
			t.Fatal("no log")
		}
		frames := syslog.NewFrames(strings.NewReader(s))
		for range 10_000 {
			if _, err := frames.Next(); err != nil {
				return
			}
		}
	})
}
