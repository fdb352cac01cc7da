package record_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func TestFlatten(t *testing.T) {
	fields, notes, err := record.Flatten([]byte(`{"a":1,"b":{"c":"x","d":{"e":true,"f":null}},"g":[1,"two"],"h":[{"i":1},{"i":2}],"j":1.5,"k":"\u00e4\n","l":99999999999999999999,"m":{}}`))
	if err != nil || notes != (record.Notes{}) {
		t.Fatal(err, notes)
	}
	got := ""
	for _, f := range fields {
		got += fmt.Sprintf("%s=%s(%s) ", f.Name, f.Value, f.Value.Type())
	}
	want := `a=1(int) b.c=x(string) b.d.e=true(bool) j=1.5(float) ` + "k=ä\n(string) " + `l=100000000000000000000(float) g=["1", "two"](list) h.i=["1", "2"](list) `
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestFlattenRefuses(t *testing.T) {
	for _, in := range []string{``, `[]`, `{`, `{"a"}`, `{"a":}`, `{"a":1,}`, `{"a":01}`, `{"a":1}x`, `{"a":"b}`, `{"a":tru}`, `{"a":[1 2]}`, `{"a":"\q"}`,
		`{"a":` + strings.Repeat("[", 10_000), `{"a":` + strings.Repeat(`{"a":`, 10_000)} {
		if _, _, err := record.Flatten([]byte(in)); err == nil {
			t.Errorf("%.40s is taken", in)
		}
	}
	var b strings.Builder
	for i := range 10_000 {
		fmt.Fprintf(&b, `,"field%d":%d`, i, i)
	}
	fields, notes, err := record.Flatten([]byte(`{"x":1` + b.String() + `}`))
	if err != nil || len(fields)+notes.Left != 10_001 || len(fields) > event.MaxFields {
		t.Errorf("10001 names: %d kept, %d left out, %v", len(fields), notes.Left, err)
	}
	fields, notes, err = record.Flatten([]byte("{\"m\":\"a\xffb\",\"n\":\"a\tb\",\"o\":\"\\n\xff\"}"))
	if err != nil || fields[0].Value.Text() != "a\uFFFDb" || fields[1].Value.Text() != "a\tb" || fields[2].Value.Text() != "\n\uFFFD" || notes.Texts != 2 {
		t.Errorf("%v, %+v, %v", fields, notes, err)
	}
}

func TestMoment(t *testing.T) {
	want := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for _, v := range []event.Value{
		event.String("2026-01-02T03:04:05Z"), event.String("2026-01-02T04:04:05+01:00"), event.String("2026-01-02 03:04:05,000"), event.String("2026-01-02 03:04:05"),
		event.String("02/Jan/2026:03:04:05 +0000"), event.String("1767323045"), event.Int(1767323045), event.Float(1767323045.0), event.Int(1767323045000), event.Int(1767323045000000), event.Int(1767323045000000000),
	} {
		if got, ok := record.Moment(v); !ok || !got.Equal(want) {
			t.Errorf("%s %s is %s, %v", v.Type(), v, got, ok)
		}
	}
	for _, v := range []event.Value{event.String(""), event.String("soon"), event.Bool(true), {}, event.Float(1e300)} {
		if got, ok := record.Moment(v); ok {
			t.Errorf("%s %s is %s", v.Type(), v, got)
		}
	}
}

func TestEvent(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{`{"ts":1767323045,"msg":"hi","lvl":"WARNING","app":"shop","hostname":"web1","trace_id":"ab"}`,
			`2026-01-02T03:04:05Z {dataset="logs", host.name="web1", kind="log", service.name="shop"} message=hi level=warn trace.id=ab`},
		{`{"@timestamp":"1970-01-01T00:00:01Z","message":"x"}`, `2026-03-04T05:06:07Z {dataset="logs", kind="log"} time.given=1970-01-01T00:00:01Z message=x : past`},
		{`{"time":"2099-01-01T00:00:00Z","message":"x"}`, `2026-03-04T05:06:07Z {dataset="logs", kind="log"} time.given=2099-01-01T00:00:00Z message=x : future`},
		{`{"time":"soon","message":"x"}`, `2026-03-04T05:06:07Z {dataset="logs", kind="log"} time.given=soon message=x : unknown`},
	} {
		fields, _, err := record.Flatten([]byte(c.in))
		if err != nil {
			t.Fatal(err)
		}
		e, notes := record.Event(fields, record.Defaults{Now: now})
		got := event.Time(e.Time).String() + " " + strings.ReplaceAll(strings.ReplaceAll(e.Stream.String(), `"host.name"`, "host.name"), `"service.name"`, "service.name")
		for _, f := range e.Fields {
			got += " " + f.Name + "=" + f.Value.String()
		}
		if notes.Time != "" {
			got += " : " + notes.Time
		}
		if got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.in, got, c.want)
		}
	}
}

func TestSource(t *testing.T) {
	in := `{"@timestamp":"2026-01-02T03:04:05Z","host":"web1","http":{"request":{"method":"GET"},"status":200},"a":1,"tags":["x","y"]}`
	fields, _, err := record.Flatten([]byte(in))
	if err != nil {
		t.Fatal(err)
	}
	e, _ := record.Event(fields, record.Defaults{Now: now, Keep: true})
	var got, want any
	if err := json.Unmarshal(record.Source(&e, nil), &got); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal([]byte(in), &want)
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// A condition on a severity holds for every way to write it, and for nothing else.
func TestAnySpelling(t *testing.T) {
	level := func(v event.Value) *event.Event {
		return &event.Event{Fields: []event.Field{{Name: event.LevelField, Value: v}}}
	}
	matches := func(f event.Filter, v event.Value) bool {
		m, err := event.NewMatcher(record.AnySpelling(f))
		if err != nil {
			t.Fatal(err)
		}
		return m.Match(level(v))
	}
	is := func(s string) event.Filter { return event.Equals(event.LevelField, event.String(s)) }
	for _, c := range []struct {
		f    event.Filter
		v    event.Value
		want bool
	}{
		{is("error"), event.String("ERROR"), true},
		{is("error"), event.String("Err"), true},
		{is("ERROR"), event.String("error"), true},
		{is("warn"), event.Int(40), true},
		{is("warn"), event.String("40"), true},
		{is("warn"), event.Int(50), false},
		{is("error"), event.String("ERROR2"), true},
		{event.Not(is("error")), event.String("ERROR"), false},
		{event.Or(is("info"), event.And(is("error"))), event.String("SEVERE"), true},
		{is("critical"), event.String("CRITICAL"), true},
		{is("critical"), event.String("fatal"), false},
		{event.Equals("log.level", event.String("error")), event.String("ERROR"), false},
	} {
		if got := matches(c.f, c.v); got != c.want {
			t.Errorf("%+v on %s: %v", c.f, c.v, got)
		}
	}
}

// Whatever encoding/json takes as an object is taken, and nothing else but
// control characters within strings and invalid UTF-8.
func FuzzFlatten(f *testing.F) {
	for _, s := range []string{`{}`, `{"a":{"b":[1,2,{"c":null}]},"d":-1.5e3}`, `{"a":"\ud83d\ude00"}`, `{"":""}`, `{"a.b":1,"a":{"b":2}}`, `{"a":1e999}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		fields, _, err := record.Flatten(data)
		var want map[string]any
		if ok := json.Unmarshal(data, &want) == nil && want != nil; ok && err != nil && !strings.Contains(err.Error(), "more than") && !strings.Contains(string(data), "e") && !strings.Contains(string(data), "E") {
			t.Fatalf("%q: %v", data, err)
		}
		if err != nil {
			return
		}
		e, _ := record.Event(fields, record.Defaults{Now: now})
		if !json.Valid(record.Source(&e, nil)) {
			t.Fatalf("%q: the source is no JSON: %s", data, record.Source(&e, nil))
		}
	})
}
