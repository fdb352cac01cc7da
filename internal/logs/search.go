package logs

import (
	"cmp"
	"context"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/match"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/web"
)

// Asked is what every question about logs has: embed it in an input.
type Asked struct {
	Query    string `query:"q" doc:"in the language given; empty: everything" maxLength:"32768"`
	Language string `query:"language" enum:"kql,lucene" default:"kql"`
	From     string `query:"from" default:"now-1h" doc:"RFC 3339, unix seconds, or now-1h"`
	To       string `query:"to" default:"now"`
	Service  string `query:"service" doc:"only of this service"`
}

// scope is a question read.
type scope struct {
	within event.Range
	filter event.Filter
}

func (a *Asked) scope(now time.Time) (scope, error) {
	var s scope
	var err error
	if s.within.From, err = event.ParseTime(a.From, now); err != nil {
		return s, err
	}
	if s.within.To, err = event.ParseTime(a.To, now); err != nil {
		return s, err
	}
	if a.To == "now" { // what is being written while the question is on its way
		s.within.To = s.within.To.Add(time.Second)
	}
	if !s.within.From.Before(s.within.To) {
		return s, problem.New(problem.Invalid, "the time range ends before it begins").WithField("to")
	}
	f, err := match.Query(a.Language, a.Query, now)
	if err != nil {
		return s, err
	}
	parts := []event.Filter{event.Equals(event.KindField, event.String(event.KindLog))}
	if a.Service != "" {
		parts = append(parts, event.Equals(event.ServiceField, event.String(a.Service)))
	}
	if f.Op != event.OpAll {
		parts = append(parts, record.AnySpelling(f))
	}
	s.filter = event.And(parts...)
	return s, nil
}

// Row is one log line.
type Row struct {
	ID     string         `json:"id"`
	Time   string         `json:"time" doc:"RFC 3339 with nanoseconds"`
	Level  string         `json:"level,omitempty" doc:"the severity in one spelling: trace, debug, info, warn, error, fatal; another as it was given, in lower case"`
	Fields map[string]any `json:"fields" doc:"flat: names with dots; labels of the stream included; as they were given"`
}

func rowOf(e *event.Event) Row {
	r := Row{ID: strconv.FormatUint(e.ID, 10), Time: event.Time(e.Time).String(), Level: record.Level(e.Get(event.LevelField).String()), Fields: map[string]any{}}
	for name, v := range e.All {
		switch v.Type() {
		case event.TypeDuration, event.TypeTime, event.TypeBytes:
			r.Fields[name] = v.String()
		case event.TypeInt:
			if n := v.Int64(); n > 1<<53 || n < -1<<53 { // more than JavaScript can hold
				r.Fields[name] = v.String()
				continue
			}
			r.Fields[name] = v
		case event.TypeFloat:
			if f, ok := v.Number(); !ok || math.IsInf(f, 0) {
				r.Fields[name] = v.String()
				continue
			}
			r.Fields[name] = v
		default:
			r.Fields[name] = v
		}
	}
	return r
}

// Cost is what an answer took.
type Cost struct {
	Rows    int64 `json:"rows" doc:"events looked at"`
	Bytes   int64 `json:"bytes"`
	Blocks  int64 `json:"blocks"`
	Skipped int64 `json:"skipped" doc:"blocks that did not need to be read"`
	Millis  int64 `json:"millis"`
}

func costOf(c event.Cost) Cost {
	return Cost{c.Rows, c.Bytes, c.Blocks, c.Skipped, c.Elapsed.Milliseconds()}
}

// MaxLines is the most lines that one search gives; the cursor leads to more.
const MaxLines = 5000

// searchInput asks for lines.
type searchInput struct {
	Asked
	Limit  int    `query:"limit" default:"200" minimum:"1" maximum:"5000"`
	Cursor string `query:"cursor" doc:"the next of the answer before"`
	Oldest bool   `query:"oldest" doc:"oldest first"`
	Count  bool   `query:"count" doc:"count all that match"`
}

// SearchAnswer is a part of what matches, newest first unless asked otherwise.
type SearchAnswer struct {
	Rows     []Row    `json:"rows"`
	Next     string   `json:"next,omitempty" doc:"the cursor of the next part"`
	Matched  int64    `json:"matched"`
	AtLeast  bool     `json:"atLeast,omitempty" doc:"more may match"`
	Words    []string `json:"words" doc:"what to highlight"`
	Cost     Cost     `json:"cost"`
	Warnings []string `json:"warnings,omitempty"`
}

func (l *Logs) search(ctx context.Context, in *searchInput) (*SearchAnswer, error) {
	s, err := in.scope(l.now())
	if err != nil {
		return nil, err
	}
	rows := &event.Rows{Limit: in.Limit, Count: in.Count}
	if in.Oldest {
		rows.Order = []event.Order{{By: event.TimeField}}
	}
	if rows.After, err = cursorOf(in.Cursor, in.Oldest); err != nil {
		return nil, err
	}
	res, err := l.cfg.Events.Query(ctx, event.Query{Range: s.within, Filter: s.filter, Rows: rows})
	if err != nil {
		return nil, err
	}
	answer := &SearchAnswer{Matched: res.Matched, AtLeast: res.AtLeast, Words: wordsOf(s.filter), Cost: costOf(res.Cost), Warnings: res.Warnings}
	for i := range res.Rows {
		answer.Rows = append(answer.Rows, rowOf(&res.Rows[i]))
	}
	if n := len(res.Rows); n == in.Limit {
		last := &res.Rows[n-1]
		answer.Next = web.Cursor(strconv.FormatInt(last.Time, 10), strconv.FormatUint(last.ID, 10))
	}
	return answer, nil
}

func cursorOf(text string, oldest bool) (*event.Cursor, error) {
	key, err := web.Page{Cursor: text}.Key(2)
	if err != nil || key == nil {
		return nil, err
	}
	at, err1 := strconv.ParseInt(key[0], 10, 64)
	id, err2 := strconv.ParseUint(key[1], 10, 64)
	if err1 != nil || err2 != nil {
		return nil, problem.New(problem.Invalid, "the cursor is not one of this list").WithField("cursor")
	}
	c := &event.Cursor{Time: at, ID: id}
	if oldest {
		c.Values = []event.Value{event.Time(at)}
	}
	return c, nil
}

// wordsOf are the texts a filter looks for in prose or anywhere, for
// highlighting.
func wordsOf(f event.Filter) (words []string) {
	switch f.Op {
	case event.OpNot:
		return nil
	case event.OpAnd, event.OpOr, event.OpSome:
		for _, of := range f.Of {
			for _, w := range wordsOf(of) {
				if !slices.Contains(words, w) && len(words) < 50 {
					words = append(words, w)
				}
			}
		}
		return words
	case event.OpPhrase, event.OpContains, event.OpPrefix:
		return []string{f.Text}
	case event.OpEquals, event.OpIn:
		if f.Field == event.KindField || f.Field == event.ServiceField || f.Field == event.LevelField {
			return nil
		}
		for _, v := range f.Values {
			words = append(words, v.Text())
		}
	case event.OpWildcard:
		for part := range strings.SplitSeq(f.Text, "*") {
			if len(part) > 1 {
				words = append(words, strings.ReplaceAll(part, `\`, ""))
			}
		}
	case event.OpRegexp:
		return nil
	}
	return words
}

// histogramInput asks how many lines there are over time.
type histogramInput struct {
	Asked
	Buckets int    `query:"buckets" default:"60" minimum:"1" maximum:"500" doc:"about how many"`
	By      string `query:"by" default:"level" doc:"split by this field; empty: not at all"`
}

// Bucket counts lines of one span of time.
type Bucket struct {
	Time  string           `json:"time"`
	Count int64            `json:"count"`
	By    map[string]int64 `json:"by,omitempty"`
}

// HistogramAnswer has every bucket of the range, empty ones too.
type HistogramAnswer struct {
	EveryMillis int64    `json:"everyMillis"`
	Total       int64    `json:"total"`
	Buckets     []Bucket `json:"buckets"`
	Series      []string `json:"series" doc:"values that the buckets are split by, the most frequent first"`
	Cost        Cost     `json:"cost"`
}

// widths of buckets that people read well.
var widths = []time.Duration{
	time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 500 * time.Millisecond,
	time.Second, 2 * time.Second, 5 * time.Second, 10 * time.Second, 15 * time.Second, 30 * time.Second,
	time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 15 * time.Minute, 30 * time.Minute,
	time.Hour, 2 * time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour, 30 * 24 * time.Hour, 365 * 24 * time.Hour,
}

func widthFor(d time.Duration, buckets int) time.Duration {
	for _, w := range widths {
		if d/w <= time.Duration(buckets) {
			return w
		}
	}
	return d/time.Duration(buckets) + 1
}

func (l *Logs) histogram(ctx context.Context, in *histogramInput) (*HistogramAnswer, error) {
	s, err := in.scope(l.now())
	if err != nil {
		return nil, err
	}
	every := widthFor(s.within.Duration(), in.Buckets)
	t := event.Table{By: []event.Key{{Name: "t", Every: every}}, Limit: event.MaxGroups}
	if in.By != "" {
		t.By = append(t.By, event.Key{Name: "v", Field: match.Field(in.By)})
	}
	t.Calculate = []event.Calculation{{Name: "n", Op: event.CalcCount}}
	res, err := l.cfg.Events.Query(ctx, event.Query{Range: s.within, Filter: s.filter, Tables: []event.Table{t}})
	if err != nil {
		return nil, err
	}
	answer := &HistogramAnswer{EveryMillis: every.Milliseconds(), Total: res.Matched, Cost: costOf(res.Cost)}
	byTime := map[int64]*Bucket{}
	totals := map[string]int64{}
	for _, g := range res.Tables[0].Groups {
		at, n := g.Keys[0].Int64(), g.Cells[0].Value.Int64()
		b := byTime[at]
		if b == nil {
			b = &Bucket{By: map[string]int64{}}
			byTime[at] = b
		}
		b.Count += n
		if in.By != "" {
			v := g.Keys[1].String()
			if t.By[1].Field == event.LevelField {
				v = record.Level(v)
			}
			b.By[v] += n
			totals[v] += n
		}
	}
	buckets, err := t.By[0].TimeBuckets()
	if err != nil {
		return nil, err
	}
	end := s.within.To.UnixNano()
	for at, next := buckets.Bounds(s.within.From.UnixNano()); at < end && len(answer.Buckets) < 2000; at, next = buckets.Bounds(next) {
		b := Bucket{Time: event.Time(at).String()}
		if have := byTime[at]; have != nil {
			b.Count, b.By = have.Count, have.By
		}
		answer.Buckets = append(answer.Buckets, b)
	}
	for v := range totals {
		answer.Series = append(answer.Series, v)
	}
	sort.Slice(answer.Series, func(i, j int) bool {
		a, b := answer.Series[i], answer.Series[j]
		return totals[a] > totals[b] || totals[a] == totals[b] && a < b
	})
	return answer, nil
}

// fieldsInput asks which fields there are.
type fieldsInput struct {
	Asked
	Prefix string `query:"prefix"`
}

// Field is one field of the lines that match.
type Field struct {
	Name  string   `json:"name"`
	Types []string `json:"types"`
	Count int64    `json:"count" doc:"lines that have it"`
}

// FieldsAnswer is every field by name, of very many the most frequent.
type FieldsAnswer struct {
	Fields []Field `json:"fields" doc:"by name, at most 5000: of more the most frequent"`
	More   int     `json:"more,omitempty" doc:"fields that are not listed"`
	Total  int64   `json:"total"`
}

func (l *Logs) fields(ctx context.Context, in *fieldsInput) (*FieldsAnswer, error) {
	s, err := in.scope(l.now())
	if err != nil {
		return nil, err
	}
	res, err := l.cfg.Events.Query(ctx, event.Query{Range: s.within, Filter: s.filter, Fields: &event.Fields{Prefix: in.Prefix}})
	if err != nil {
		return nil, err
	}
	answer := &FieldsAnswer{Total: res.Matched, More: res.MoreFields}
	for _, f := range res.Fields {
		if f.Name == event.KindField || f.Name == event.TimeField || f.Name == event.IDField {
			continue
		}
		answer.Fields = append(answer.Fields, Field{f.Name, f.Types, f.Count})
	}
	return answer, nil
}

// valuesInput asks for the most frequent values of a field.
type valuesInput struct {
	Asked
	Field    string `query:"field" required:"true" minLength:"1"`
	Contains string `query:"contains" doc:"only values with this text, in any case"`
	Limit    int    `query:"limit" default:"10" minimum:"1" maximum:"100"`
}

// ValueCount is a value and how many lines have it.
type ValueCount struct {
	Value any    `json:"value"`
	Text  string `json:"text"`
	Count int64  `json:"count"`
}

// ValuesAnswer is the most frequent values first.
type ValuesAnswer struct {
	Field    string       `json:"field"`
	Count    int64        `json:"count" doc:"lines that have the field"`
	Total    int64        `json:"total" doc:"lines that match"`
	Distinct int64        `json:"distinct"`
	Values   []ValueCount `json:"values"`
	Min      *float64     `json:"min,omitempty"`
	Max      *float64     `json:"max,omitempty"`
	Avg      *float64     `json:"avg,omitempty"`
}

func (l *Logs) values(ctx context.Context, in *valuesInput) (*ValuesAnswer, error) {
	s, err := in.scope(l.now())
	if err != nil {
		return nil, err
	}
	limit := in.Limit
	if in.Field == event.LevelField { // there are few of them, in many spellings
		limit = maxValues
	}
	res, err := l.cfg.Events.Query(ctx, event.Query{Range: s.within, Filter: s.filter,
		Facets: &event.Facets{Fields: []string{in.Field}, Limit: limit, Contains: in.Contains}})
	if err != nil {
		return nil, err
	}
	answer := &ValuesAnswer{Field: in.Field, Total: res.Matched}
	for _, f := range res.Facets {
		if f.Field != in.Field {
			continue
		}
		answer.Count, answer.Distinct = f.Count, f.Distinct
		for _, v := range f.Top {
			answer.Values = append(answer.Values, ValueCount{v.Value.Text(), v.Value.Text(), v.Count})
		}
		if in.Field == event.LevelField {
			answer.oneSpelling(in.Limit)
			continue
		}
		if n := f.Numbers; n != nil && n.Count > 0 {
			avg := n.Avg()
			answer.Min, answer.Max, answer.Avg = &n.Min, &n.Max, &avg
		}
	}
	return answer, nil
}

// maxValues is the most values that are asked for.
const maxValues = 100

// oneSpelling counts the spellings of each severity together.
func (a *ValuesAnswer) oneSpelling(limit int) {
	rest := a.Distinct - int64(len(a.Values))
	var merged []ValueCount
	for _, v := range a.Values {
		level := record.Level(v.Text)
		if i := slices.IndexFunc(merged, func(m ValueCount) bool { return m.Text == level }); i >= 0 {
			merged[i].Count += v.Count
			continue
		}
		merged = append(merged, ValueCount{level, level, v.Count})
	}
	slices.SortStableFunc(merged, func(a, b ValueCount) int { return cmp.Compare(b.Count, a.Count) })
	a.Distinct = rest + int64(len(merged))
	a.Values = merged[:min(limit, len(merged))]
}

// aroundInput asks for the lines before and after one.
type aroundInput struct {
	ID      string `query:"id" required:"true" doc:"of the line"`
	Time    string `query:"time" required:"true" doc:"of the line, RFC 3339"`
	Before  int    `query:"before" default:"10" minimum:"0" maximum:"500"`
	After   int    `query:"after" default:"10" minimum:"0" maximum:"500"`
	Service string `query:"service"`
	Host    string `query:"host"`
}

// AroundAnswer is a line among its neighbours, newest first.
type AroundAnswer struct {
	Rows []Row `json:"rows"`
}

func (l *Logs) around(ctx context.Context, in *aroundInput) (*AroundAnswer, error) {
	at, err := time.Parse(time.RFC3339Nano, in.Time)
	id, err2 := strconv.ParseUint(in.ID, 10, 64)
	if err != nil || err2 != nil {
		return nil, problem.New(problem.Invalid, "the line is named by its id and its time").WithField("time")
	}
	parts := []event.Filter{event.Equals(event.KindField, event.String(event.KindLog))}
	for field, value := range map[string]string{event.ServiceField: in.Service, event.HostField: in.Host} {
		if value != "" {
			parts = append(parts, event.Equals(field, event.String(value)))
		}
	}
	ns := at.UnixNano()
	answer := &AroundAnswer{}
	if in.After > 0 {
		res, err := l.cfg.Events.Query(ctx, event.Query{Range: event.Range{From: at}, Filter: event.And(parts...), Rows: &event.Rows{
			Limit: in.After, Order: []event.Order{{By: event.TimeField}}, After: &event.Cursor{Time: ns, ID: id, Values: []event.Value{event.Time(ns)}}}})
		if err != nil {
			return nil, err
		}
		for i := len(res.Rows) - 1; i >= 0; i-- {
			answer.Rows = append(answer.Rows, rowOf(&res.Rows[i]))
		}
	}
	// The line itself comes with those before it.
	res, err := l.cfg.Events.Query(ctx, event.Query{Range: event.Range{To: at.Add(1)}, Filter: event.And(parts...), Rows: &event.Rows{
		Limit: in.Before + 1, After: &event.Cursor{Time: ns, ID: id + 1}}})
	if err != nil {
		return nil, err
	}
	for i := range res.Rows {
		answer.Rows = append(answer.Rows, rowOf(&res.Rows[i]))
	}
	return answer, nil
}
