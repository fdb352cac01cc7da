package logstash

import (
	"context"
	"errors"
	"net"
	"sync"

	"github.com/daytwo-dev/daytwo/internal/logs/grok"
	"github.com/daytwo-dev/daytwo/internal/logs/logstash/syntax"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// named is a plugin without settings, where this one stands.
func (o *options) named(name string) *syntax.Plugin {
	return &syntax.Plugin{Pos: o.plugin.Pos, Name: name}
}

// syslogInput listens on UDP and TCP and reads the lines of RFC 3164.
type syslogInput struct {
	address    string
	codec      *codec
	parse      *grokFilter
	date       *dateFilter
	compatible bool
	priority   Ref
	names      priorityNames
}

func newSyslog(o *options, _ Env) input {
	f := &syslogInput{
		address: o.listenAddress(514), codec: o.codec("plain"), compatible: o.compatible(), priority: parseRef("priority"),
		names: o.priorityNames(severityLabels, facilityLabels, "severity", "facility", "severity_label", "facility_label"),
	}
	naming, pattern := grok.Legacy, "<%{POSINT:priority:int}>%{SYSLOGLINE}"
	if f.compatible {
		naming, pattern, f.priority = grok.ECS, "<%{POSINT:[log][syslog][priority]:int}>%{SYSLOGLINE}", parseRef("[log][syslog][priority]")
	}
	p, err := grok.Compile(o.text("grok_pattern", pattern), grok.Options{Patterns: grok.Stock(naming), Timeout: matchTimeout})
	if err != nil {
		o.report(o.plugin.Pos, problem.From(err))
		return f
	}
	f.parse = &grokFilter{breaks: true, overwrite: map[string]bool{"message": true}}
	f.parse.onFailure = []*template{o.templateOf("_grokparsefailure_sysloginput", "")}
	f.parse.onTimeout = o.templateOf("_groktimeout", "")
	f.parse.fields = []grokField{{parseRef("message"), []grokPattern{f.parse.target(p, "")}}}
	date := o.options("filter", &syntax.Plugin{Pos: o.plugin.Pos, Name: "date", Settings: append(
		[]syntax.Setting{{Name: "match", Value: textList("timestamp", "MMM dd HH:mm:ss", "MMM  d HH:mm:ss", "MMM d HH:mm:ss", "ISO8601")}}, o.settings("timezone", "locale")...)})
	f.date = newDate(date).(*dateFilter)
	o.ignore("timezone", "locale", "proxy_protocol", "host")
	return f
}

// settings are those of some names, to be handed on.
func (o *options) settings(names ...string) []syntax.Setting {
	var out []syntax.Setting
	for _, s := range o.plugin.Settings {
		if containsText(names, s.Name) {
			out = append(out, s)
		}
	}
	return out
}

func textList(items ...string) *syntax.Array {
	a := &syntax.Array{}
	for _, s := range items {
		a.Items = append(a.Items, &syntax.String{Text: s, Quote: '"'})
	}
	return a
}

func (f *syslogInput) run(ctx context.Context, in *intake) error {
	both, cancel := context.WithCancel(ctx)
	defer cancel()
	var wait sync.WaitGroup
	var packets error
	wait.Go(func() {
		defer cancel()
		packets = servePackets(both, in, f.address, 65536, 0, f.codec, func(e *Event, from net.Addr) { f.touch(e, from) })
	})
	lines := serveLines(both, in, f.address, nil, func(ctx context.Context, conn net.Conn) error {
		return decodeStream(ctx, conn, f.codec, in, func(e *Event) { f.touch(e, conn.RemoteAddr()) })
	})
	cancel()
	wait.Wait()
	return errors.Join(lines, packets)
}

func (f *syslogInput) touch(e *Event, from net.Addr) {
	host, _, _ := net.SplitHostPort(from.String())
	if f.compatible {
		e.set(parseRef("[host][ip]"), host)
	} else if _, ok := e.fields["host"]; !ok {
		e.fields["host"] = host
	}
	ok := f.parse.apply(e, nil)
	priority, _ := e.get(f.priority)
	n, isInt := priority.(int64)
	if !isInt || n < 0 || n > 1<<16 {
		n = 13
		if ok || isInt {
			e.remove(f.priority)
		}
		e.set(f.priority, n)
	}
	if ok {
		f.date.apply(e, nil)
	}
	if f.compatible {
		e.set(parseRef("[service][type]"), "system")
	}
	f.names.set(e, n)
}
