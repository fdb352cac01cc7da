package logstash

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"
)

// inputs are the input plugins by name.
var inputs = map[string]func(*options, Env) input{
	"file":      newFileInput,
	"generator": newGenerator,
	"heartbeat": newHeartbeat,
	"http":      newHTTPInput,
	"stdin":     newStdin,
	"syslog":    newSyslog,
	"tcp":       newTCPInput,
	"udp":       newUDPInput,
}

// input brings events until its context ends. It returns nil when there will be no more; an error means to try again later.
type input interface {
	run(ctx context.Context, in *intake) error
}

// inputFunc is an input that needs no more than a function.
type inputFunc func(ctx context.Context, in *intake) error

func (f inputFunc) run(ctx context.Context, in *intake) error { return f(ctx, in) }

// intake is where an input gives its events: they get what the input's common settings say and wait in the bounded queue.
type intake struct {
	stage *inputStage
	queue chan<- *Event
	env   Env
	id    string // of the pipeline
	ready func() // says that the input works
}

// give blocks while the queue is full: back-pressure reaches the sender.
func (in *intake) give(ctx context.Context, e *Event) error {
	if in.stage.kind != "" {
		if _, ok := e.fields["type"]; !ok {
			e.fields["type"] = in.stage.kind
		}
	}
	in.stage.adds.apply(e)
	select {
	case in.queue <- e:
		in.stage.counts.out.Add(1)
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// hosted names this machine as the events' host.
func (in *intake) hosted(e *Event, compatible bool) {
	if _, ok := e.fields["host"]; ok {
		return
	}
	if compatible {
		e.fields["host"] = map[string]any{"hostname": in.env.Host}
	} else {
		e.fields["host"] = in.env.Host
	}
}

func newStdin(o *options, env Env) input {
	c, compatible := o.codec("line"), o.compatible()
	return inputFunc(func(ctx context.Context, in *intake) error {
		if env.Out == nil || env.Out.In == nil {
			return nil // a server has no standard input to read
		}
		return decodeStream(ctx, &contextReader{ctx, env.Out.In}, c, in, func(e *Event) { in.hosted(e, compatible) })
	})
}

// contextReader ends when its context does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r *contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, io.EOF
	}
	return r.r.Read(p)
}

func newGenerator(o *options, _ Env) input {
	lines, count, compatible := o.texts("lines"), o.int("count", 0, 0, 1<<40), o.compatible()
	if lines == nil {
		lines = []string{o.text("message", "Hello world!")}
	} else {
		o.ignore("message")
	}
	c := o.codec("plain")
	o.ignore("threads")
	return inputFunc(func(ctx context.Context, in *intake) error {
		in.ready()
		d := c.decoder()
		for n := 0; count == 0 || n < count; n++ {
			for _, line := range lines {
				var failed error
				d.line([]byte(line), func(e *Event) {
					in.hosted(e, compatible)
					if compatible {
						e.set(parseRef("[event][sequence]"), int64(n))
					} else {
						e.fields["sequence"] = int64(n)
					}
					failed = in.give(ctx, e)
				})
				if failed != nil {
					return nil
				}
			}
		}
		d.flush(func(e *Event) { _ = in.give(ctx, e) })
		return nil
	})
}

func newHeartbeat(o *options, _ Env) input {
	interval, count, message := o.seconds("interval", time.Minute), o.int("count", -1, -1, 1<<40), o.text("message", "ok")
	sequence := o.choice("sequence", "", "none", "epoch", "sequence")
	compatible := o.compatible()
	o.ignore("threads")
	interval = max(interval, 10*time.Millisecond)
	return inputFunc(func(ctx context.Context, in *intake) error {
		in.ready()
		tick := time.NewTicker(interval)
		defer tick.Stop()
		for n := 0; count < 0 || n < count; n++ {
			e := newEvent(map[string]any{"message": message})
			switch {
			case message == "epoch" && sequence == "", sequence == "epoch":
				beat(e, compatible, time.Now().Unix())
			case message == "sequence" && sequence == "", sequence == "sequence":
				beat(e, compatible, int64(n))
			}
			in.hosted(e, compatible)
			if err := in.give(ctx, e); err != nil {
				return nil
			}
			select {
			case <-ctx.Done():
				return nil
			case <-tick.C:
			}
		}
		return nil
	})
}

func beat(e *Event, compatible bool, n int64) {
	delete(e.fields, "message")
	if compatible {
		e.set(parseRef("[event][sequence]"), n)
		return
	}
	e.fields["clock"] = n
}

// listenAddress is host and port of an input that listens.
func (o *options) listenAddress(port int) string {
	if port == 0 {
		o.require("port", "5000")
	}
	host := o.text("host", "0.0.0.0")
	return fmt.Sprintf("%s:%d", bracketed(host), o.int("port", port, 1, 65535))
}

func bracketed(host string) string {
	if strings.Contains(host, ":") && !strings.HasPrefix(host, "[") {
		return "[" + host + "]"
	}
	return host
}
