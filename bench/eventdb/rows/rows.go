// Package rows makes the events of the benchmark: the same for every engine.
package rows

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// Row is one generated event: 25 fields with its time and stream. A third are
// lines of an HTTP server, a third text of applications, a third spans.
type Row struct {
	Time                                             int64
	Service, Kind, Host, Region                      string
	Level, Message, Trace, Span, Parent, Name, Route string
	Method, User, Agent, IP, Version, Pod, Zone      string
	Status, Bytes, Duration, Line, Retries           int64
	Ratio                                            float64
	OK                                               bool
}

// Columns are the names and ClickHouse types of a row's fields, in order.
var Columns = []struct{ Name, Type string }{
	{"time", "DateTime64(9)"}, {"service", "LowCardinality(String)"}, {"kind", "LowCardinality(String)"}, {"host", "LowCardinality(String)"}, {"region", "LowCardinality(String)"},
	{"level", "LowCardinality(String)"}, {"message", "String"}, {"trace", "String"}, {"span", "String"}, {"parent", "String"}, {"name", "LowCardinality(String)"}, {"route", "LowCardinality(String)"},
	{"method", "LowCardinality(String)"}, {"user", "String"}, {"agent", "LowCardinality(String)"}, {"ip", "String"}, {"version", "LowCardinality(String)"}, {"pod", "LowCardinality(String)"}, {"zone", "LowCardinality(String)"},
	{"status", "Int64"}, {"bytes", "Int64"}, {"duration", "Int64"}, {"line", "Int64"}, {"retries", "Int64"}, {"ratio", "Float64"}, {"ok", "Bool"},
}

// Generator makes rows; two of the same number of rows make the same.
type Generator struct {
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

// New makes a generator whose n rows lie in six hours.
func New(n int) *Generator {
	return &Generator{r: rand.New(rand.NewPCG(2026, 11)), at: begin, step: length / int64(n)}
}

// Later makes other rows, whose time goes on where that of n rows of New ends.
func Later(n int) *Generator {
	g := New(n)
	g.r, g.at = rand.New(rand.NewPCG(2027, 11)), g.at+length
	return g
}

var (
	services = []string{"shop", "till", "mail", "auth", "search", "stock", "price", "route", "image", "feed"}
	levels   = []string{"info", "info", "info", "info", "info", "info", "debug", "debug", "warn", "error"}
	methods  = []string{"GET", "GET", "GET", "POST", "PUT", "DELETE"}
	agents   = []string{"Mozilla/5.0 (X11; Linux x86_64) Firefox/131.0", "Mozilla/5.0 (Windows NT 10.0; Win64) Chrome/129.0", "curl/8.9.1", "okhttp/4.12", "Go-http-client/2.0"}
	texts    = []string{"connection from %s accepted on port %d", "order %s has %d items in the cart", "cache miss for key session:%s after %d ms", "upstream answered %s late by %d ms", "user %s signed in, attempt %d", "wrote %s to the queue, depth %d", "retrying the payment of %s, attempt %d"}
)

// Next is the next row.
func (g *Generator) Next() Row {
	r := g.r
	g.at += 1 + r.Int64N(2*g.step)
	if g.left == 0 {
		g.trace, g.left = r.Uint64(), 1+r.IntN(8)
	}
	g.left--
	service := services[min(r.IntN(len(services)), r.IntN(len(services)))]
	kind := []string{"access", "log", "span"}[r.IntN(3)]
	user := int64(math.Pow(r.Float64(), 2) * 1_000_000)
	x := Row{
		Time: g.at, Service: service, Kind: kind, Host: fmt.Sprintf("node-%02d", r.IntN(40)), Region: []string{"eu-west", "eu-north", "us-east"}[r.IntN(3)],
		Level: levels[r.IntN(len(levels))], Trace: fmt.Sprintf("%016x%016x", g.trace, g.trace*0x9e3779b97f4a7c15), Span: fmt.Sprintf("%016x", r.Uint64()), Parent: fmt.Sprintf("%016x", r.Uint64()),
		Name: "handle " + service, Route: fmt.Sprintf("/api/v1/%s/%d", service, r.IntN(20)), Method: methods[r.IntN(len(methods))], User: fmt.Sprintf("user-%d", user),
		Agent: agents[r.IntN(len(agents))], IP: fmt.Sprintf("10.%d.%d.%d", r.IntN(4), r.IntN(256), r.IntN(256)), Version: fmt.Sprintf("v1.%d.0", r.IntN(6)), Pod: fmt.Sprintf("%s-%d", service, r.IntN(12)), Zone: []string{"a", "b", "c"}[r.IntN(3)],
		Status: []int64{200, 200, 200, 200, 200, 201, 204, 301, 404, 500}[r.IntN(10)], Bytes: int64(math.Exp(r.NormFloat64()*1.5 + 7)), Duration: int64(math.Exp(r.NormFloat64()*1.2+16)) / 1000 * 1000,
		Line: int64(r.IntN(900)), Retries: int64(r.IntN(3)), Ratio: float64(r.IntN(1000)) / 1000, OK: r.IntN(20) > 0,
	}
	x.Message = fmt.Sprintf(texts[r.IntN(len(texts))], x.User, r.IntN(10_000))
	if kind == "access" {
		x.Message = fmt.Sprintf("%s - - \"%s %s HTTP/1.1\" %d %d", x.IP, x.Method, x.Route, x.Status, x.Bytes)
	}
	if r.IntN(100_000) == 0 {
		x.Message = "segmentation fault in worker " + x.Pod + ", core dumped"
	}
	return x
}

// Event is the row as the store takes it; streams are those met so far.
func (x *Row) Event(streams map[[2]string]event.Stream) event.Event {
	key := [2]string{x.Service, x.Kind}
	s, ok := streams[key]
	if !ok {
		s = event.NewStream(event.Labels{"service": x.Service, "kind": x.Kind})
		streams[key] = s
	}
	str := event.String
	return event.Event{Time: x.Time, Stream: s, Fields: []event.Field{
		{Name: "host", Value: str(x.Host)}, {Name: "region", Value: str(x.Region)},
		{Name: "level", Value: str(x.Level)}, {Name: "message", Value: str(x.Message)}, {Name: "trace", Value: str(x.Trace)}, {Name: "span", Value: str(x.Span)}, {Name: "parent", Value: str(x.Parent)},
		{Name: "name", Value: str(x.Name)}, {Name: "route", Value: str(x.Route)}, {Name: "method", Value: str(x.Method)}, {Name: "user", Value: str(x.User)}, {Name: "agent", Value: str(x.Agent)},
		{Name: "ip", Value: str(x.IP)}, {Name: "version", Value: str(x.Version)}, {Name: "pod", Value: str(x.Pod)}, {Name: "zone", Value: str(x.Zone)},
		{Name: "status", Value: event.Int(x.Status)}, {Name: "bytes", Value: event.Int(x.Bytes)}, {Name: "duration", Value: event.Duration(time.Duration(x.Duration))}, {Name: "line", Value: event.Int(x.Line)},
		{Name: "retries", Value: event.Int(x.Retries)}, {Name: "ratio", Value: event.Float(x.Ratio)}, {Name: "ok", Value: event.Bool(x.OK)},
	}}
}

// AppendBinary appends the row as ClickHouse reads it (RowBinary).
func (x *Row) AppendBinary(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(x.Time))
	for _, s := range []string{x.Service, x.Kind, x.Host, x.Region, x.Level, x.Message, x.Trace, x.Span, x.Parent, x.Name, x.Route, x.Method, x.User, x.Agent, x.IP, x.Version, x.Pod, x.Zone} {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	for _, n := range []int64{x.Status, x.Bytes, x.Duration, x.Line, x.Retries} {
		b = binary.LittleEndian.AppendUint64(b, uint64(n))
	}
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(x.Ratio))
	if x.OK {
		return append(b, 1)
	}
	return append(b, 0)
}
