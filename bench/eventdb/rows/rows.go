package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// row is one generated event: 25 fields with its time and stream. A third are
// lines of an HTTP server, a third text of applications, a third spans.
type row struct {
	time                                             int64
	service, kind, host, region                      string
	level, message, trace, span, parent, name, route string
	method, user, agent, ip, version, pod, zone      string
	status, bytes, duration, line, retries           int64
	ratio                                            float64
	ok                                               bool
}

// columns are the names and ClickHouse types of a row's fields, in order.
var columns = []struct{ name, typ string }{
	{"time", "DateTime64(9)"}, {"service", "LowCardinality(String)"}, {"kind", "LowCardinality(String)"}, {"host", "LowCardinality(String)"}, {"region", "LowCardinality(String)"},
	{"level", "LowCardinality(String)"}, {"message", "String"}, {"trace", "String"}, {"span", "String"}, {"parent", "String"}, {"name", "LowCardinality(String)"}, {"route", "LowCardinality(String)"},
	{"method", "LowCardinality(String)"}, {"user", "String"}, {"agent", "LowCardinality(String)"}, {"ip", "String"}, {"version", "LowCardinality(String)"}, {"pod", "LowCardinality(String)"}, {"zone", "LowCardinality(String)"},
	{"status", "Int64"}, {"bytes", "Int64"}, {"duration", "Int64"}, {"line", "Int64"}, {"retries", "Int64"}, {"ratio", "Float64"}, {"ok", "Bool"},
}

// generator makes the same rows for every engine.
type generator struct {
	r     *rand.Rand
	at    int64
	step  int64
	trace uint64
	left  int
}

const (
	begin  = 1_772_000_000_000_000_000 // 2026-02-25
	length = int64(6 * time.Hour)
)

func newGenerator(n int) *generator {
	return &generator{r: rand.New(rand.NewPCG(2026, 11)), at: begin, step: length / int64(n)}
}

var (
	services = []string{"shop", "till", "mail", "auth", "search", "stock", "price", "route", "image", "feed"}
	levels   = []string{"info", "info", "info", "info", "info", "info", "debug", "debug", "warn", "error"}
	methods  = []string{"GET", "GET", "GET", "POST", "PUT", "DELETE"}
	agents   = []string{"Mozilla/5.0 (X11; Linux x86_64) Firefox/131.0", "Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/129.0", "curl/8.9.1", "okhttp/4.12", "Go-http-client/2.0"}
	texts    = []string{"connection from %s accepted on port %d", "order %s has %d items in the cart", "cache miss for key session:%s after %d ms", "upstream answered %s late by %d ms", "user %s signed in, attempt %d", "wrote %s to the queue, depth %d", "retrying the payment of %s, attempt %d"}
)

func (g *generator) next() row {
	r := g.r
	g.at += 1 + r.Int64N(2*g.step)
	if g.left == 0 {
		g.trace, g.left = r.Uint64(), 1+r.IntN(8)
	}
	g.left--
	service := services[min(r.IntN(len(services)), r.IntN(len(services)))]
	kind := []string{"access", "log", "span"}[r.IntN(3)]
	user := int64(math.Pow(r.Float64(), 2) * 1_000_000)
	x := row{
		time: g.at, service: service, kind: kind, host: fmt.Sprintf("node-%02d", r.IntN(40)), region: []string{"eu-west", "eu-north", "us-east"}[r.IntN(3)],
		level: levels[r.IntN(len(levels))], trace: fmt.Sprintf("%016x%016x", g.trace, g.trace*0x9e3779b97f4a7c15), span: fmt.Sprintf("%016x", r.Uint64()), parent: fmt.Sprintf("%016x", r.Uint64()),
		name: "handle " + service, route: fmt.Sprintf("/api/v1/%s/%d", service, r.IntN(20)), method: methods[r.IntN(len(methods))], user: fmt.Sprintf("user-%d", user),
		agent: agents[r.IntN(len(agents))], ip: fmt.Sprintf("10.%d.%d.%d", r.IntN(4), r.IntN(256), r.IntN(256)), version: fmt.Sprintf("v1.%d.0", r.IntN(6)), pod: fmt.Sprintf("%s-%d", service, r.IntN(12)), zone: []string{"a", "b", "c"}[r.IntN(3)],
		status: []int64{200, 200, 200, 200, 200, 201, 204, 301, 404, 500}[r.IntN(10)], bytes: int64(math.Exp(r.NormFloat64()*1.5 + 7)), duration: int64(math.Exp(r.NormFloat64()*1.2+16)) / 1000 * 1000,
		line: int64(r.IntN(900)), retries: int64(r.IntN(3)), ratio: float64(r.IntN(1000)) / 1000, ok: r.IntN(20) > 0,
	}
	x.message = fmt.Sprintf(texts[r.IntN(len(texts))], x.user, r.IntN(10_000))
	if kind == "access" {
		x.message = fmt.Sprintf("%s - - \"%s %s HTTP/1.1\" %d %d", x.ip, x.method, x.route, x.status, x.bytes)
	}
	if r.IntN(100_000) == 0 {
		x.message = "segmentation fault in worker " + x.pod + ", core dumped"
	}
	return x
}

// event is the row as the store takes it.
func (x *row) event(streams map[[2]string]event.Stream) event.Event {
	key := [2]string{x.service, x.kind}
	s, ok := streams[key]
	if !ok {
		s = event.NewStream(event.Labels{"service": x.service, "kind": x.kind})
		streams[key] = s
	}
	str := event.String
	return event.Event{Time: x.time, Stream: s, Fields: []event.Field{
		{Name: "host", Value: str(x.host)}, {Name: "region", Value: str(x.region)},
		{Name: "level", Value: str(x.level)}, {Name: "message", Value: str(x.message)}, {Name: "trace", Value: str(x.trace)}, {Name: "span", Value: str(x.span)}, {Name: "parent", Value: str(x.parent)},
		{Name: "name", Value: str(x.name)}, {Name: "route", Value: str(x.route)}, {Name: "method", Value: str(x.method)}, {Name: "user", Value: str(x.user)}, {Name: "agent", Value: str(x.agent)},
		{Name: "ip", Value: str(x.ip)}, {Name: "version", Value: str(x.version)}, {Name: "pod", Value: str(x.pod)}, {Name: "zone", Value: str(x.zone)},
		{Name: "status", Value: event.Int(x.status)}, {Name: "bytes", Value: event.Int(x.bytes)}, {Name: "duration", Value: event.Duration(time.Duration(x.duration))}, {Name: "line", Value: event.Int(x.line)},
		{Name: "retries", Value: event.Int(x.retries)}, {Name: "ratio", Value: event.Float(x.ratio)}, {Name: "ok", Value: event.Bool(x.ok)},
	}}
}

// rowBinary appends the row as ClickHouse reads it.
func (x *row) rowBinary(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(x.time))
	for _, s := range []string{x.service, x.kind, x.host, x.region, x.level, x.message, x.trace, x.span, x.parent, x.name, x.route, x.method, x.user, x.agent, x.ip, x.version, x.pod, x.zone} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	for _, n := range []int64{x.status, x.bytes, x.duration, x.line, x.retries} {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x.ratio))
	if x.ok {
		return append(b, 1)
	}
	return append(b, 0)
}
