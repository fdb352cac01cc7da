// Package loki reads what Loki's push API takes: JSON, and Snappy-compressed
// protobuf as Promtail, Alloy and Fluent Bit send it
// (grafana.com/docs/loki, POST /loki/api/v1/push; logproto.PushRequest).
package loki

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/wire"
)

// Entry is one line with the labels of its stream.
type Entry struct {
	Time     time.Time
	Line     string
	Labels   event.Labels
	Metadata event.Labels // structured metadata of the line
	notes    record.Notes
}

// Limits of one push.
const (
	maxDecoded = 64 << 20
	maxLabels  = 200
	maxEntries = 250_000
	maxFields  = 5_000_000
	maxDepth   = 16             // of the JSON
	maxParts   = 5 * maxEntries // of the JSON; a line with one label of structured metadata has five
)

func bad(format string, args ...any) error { return problem.New(problem.Invalid, format, args...) }

func large(format string, args ...any) error {
	return problem.New(problem.TooLarge, format, args...).WithMend("send smaller batches")
}

// DecodeJSON reads a push in JSON.
func DecodeJSON(data []byte) ([]Entry, error) {
	var push struct {
		Streams []struct {
			Stream event.Labels        `json:"stream"`
			Labels string              `json:"labels"`
			Values [][]json.RawMessage `json:"values"`
		} `json:"streams"`
	}
	if depth, parts := wire.Shape(data); depth > maxDepth || parts > maxParts {
		return nil, large("the push has more than %d objects, arrays and elements of them, or is nested more than %d deep", maxParts, maxDepth)
	}
	if err := json.Unmarshal(data, &push); err != nil {
		return nil, bad("the push is not JSON as Loki has it: %w", err)
	}
	var all lines
	for _, s := range push.Streams {
		labels := s.Stream
		if labels == nil {
			var err error
			if labels, err = ParseLabels(s.Labels); err != nil {
				return nil, err
			}
		}
		if len(labels) > maxLabels {
			return nil, bad("a stream has %d labels, at most %d are taken", len(labels), maxLabels)
		}
		for _, v := range s.Values {
			e, err := jsonValue(v)
			if err != nil {
				return nil, err
			}
			if err := all.add(e); err != nil {
				return nil, err
			}
		}
		if err := all.label(len(all.entries)-len(s.Values), labels); err != nil {
			return nil, err
		}
	}
	return all.entries, nil
}

// lines are those of a push. It is refused as soon as they are too much as events: each has the labels of its stream.
type lines struct {
	entries []Entry
	fields  int
}

func (l *lines) add(e Entry) error {
	if len(l.entries) == maxEntries {
		return large("the push has more than %d lines", maxEntries)
	}
	l.entries = append(l.entries, e)
	return l.count(len(e.Metadata))
}

// label gives the lines from first on the labels of their stream.
func (l *lines) label(first int, labels event.Labels) error {
	stream := l.entries[first:]
	for i := range stream {
		stream[i].Labels = labels
	}
	return l.count(len(stream) * len(labels))
}

func (l *lines) count(fields int) error {
	if l.fields += fields; l.fields > maxFields {
		return large("the push has more than %d labels, those of a stream counted for each line", maxFields)
	}
	return nil
}

// jsonValue is ["nanoseconds", "line", {metadata}].
func jsonValue(v []json.RawMessage) (e Entry, err error) {
	if len(v) < 2 || len(v) > 3 {
		return e, bad("a value has %d elements, not 2 or 3", len(v))
	}
	var at string
	if json.Unmarshal(v[0], &at) != nil {
		at = string(v[0])
	}
	ns, err := strconv.ParseInt(at, 10, 64)
	if err != nil {
		return e, bad("the time %.40q is no number of nanoseconds", at)
	}
	e.Time = time.Unix(0, ns)
	if !utf8.Valid(v[1]) {
		e.notes.Texts++ // the decoder puts it right, and does not say so
	}
	if err := json.Unmarshal(v[1], &e.Line); err != nil {
		return e, bad("a line is no text: %w", err)
	}
	if len(v) == 3 {
		if err := json.Unmarshal(v[2], &e.Metadata); err != nil {
			return e, bad("the structured metadata is no object of texts: %w", err)
		}
		if len(e.Metadata) > maxLabels {
			return e, bad("a line has more than %d labels of structured metadata", maxLabels)
		}
	}
	return e, nil
}

// DecodeProtobuf reads a push in Snappy-compressed protobuf.
func DecodeProtobuf(data []byte) ([]Entry, error) {
	if n, err := snappy.DecodedLen(data); err != nil || n > maxDecoded {
		return nil, bad("the push is not Snappy of at most %d MiB", maxDecoded>>20)
	}
	raw, err := snappy.Decode(nil, data)
	if err != nil {
		return nil, bad("the push is not Snappy: %w", err)
	}
	var all lines
	err = fields(raw, func(number protowire.Number, b []byte, _ uint64) error {
		if number != 1 {
			return nil
		}
		return all.stream(b)
	})
	if err != nil {
		return nil, err
	}
	return all.entries, nil
}

// stream is logproto.StreamAdapter: labels 1, entries 2.
func (l *lines) stream(raw []byte) error {
	var labels event.Labels
	first := len(l.entries)
	err := fields(raw, func(number protowire.Number, b []byte, _ uint64) (err error) {
		switch number {
		case 1:
			labels, err = ParseLabels(string(b))
		case 2:
			var e Entry
			if e, err = entry(b); err == nil {
				err = l.add(e)
			}
		}
		return err
	})
	if err != nil {
		return err
	}
	return l.label(first, labels)
}

// entry is logproto.EntryAdapter: timestamp 1, line 2, structured metadata 3.
func entry(raw []byte) (e Entry, err error) {
	err = fields(raw, func(number protowire.Number, b []byte, _ uint64) error {
		switch number {
		case 1:
			var sec, nanos int64
			err := fields(b, func(n protowire.Number, _ []byte, v uint64) error {
				switch n {
				case 1:
					sec = int64(v)
				case 2:
					nanos = int64(v)
				}
				return nil
			})
			e.Time = time.Unix(sec, nanos)
			return err
		case 2:
			e.Line = e.notes.Valid(string(b))
		case 3:
			var name, value string
			err := fields(b, func(n protowire.Number, b []byte, _ uint64) error {
				switch n {
				case 1:
					name = string(b)
				case 2:
					value = e.notes.Valid(string(b))
				}
				return nil
			})
			if e.Metadata == nil {
				e.Metadata = event.Labels{}
			}
			if e.Metadata[e.notes.Valid(name)] = value; len(e.Metadata) > maxLabels {
				return bad("a line has more than %d labels of structured metadata", maxLabels)
			}
			return err
		}
		return nil
	})
	return e, err
}

// fields ranges over the fields of a message.
func fields(raw []byte, yield func(number protowire.Number, b []byte, v uint64) error) error {
	for len(raw) > 0 {
		number, kind, n := protowire.ConsumeTag(raw)
		if n < 0 {
			return bad("the push is not protobuf: %w", protowire.ParseError(n))
		}
		raw = raw[n:]
		var b []byte
		var v uint64
		switch kind {
		case protowire.BytesType:
			b, n = protowire.ConsumeBytes(raw)
		case protowire.VarintType:
			v, n = protowire.ConsumeVarint(raw)
		default:
			n = protowire.ConsumeFieldValue(number, kind, raw)
		}
		if n < 0 {
			return bad("the push is not protobuf: %w", protowire.ParseError(n))
		}
		raw = raw[n:]
		if kind == protowire.BytesType || kind == protowire.VarintType {
			if err := yield(number, b, v); err != nil {
				return err
			}
		}
	}
	return nil
}

// ParseLabels reads {name="value", …}.
func ParseLabels(s string) (event.Labels, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(s), "{")
	if !ok {
		return nil, bad("the labels %.60q do not begin with a brace", s)
	}
	labels := event.Labels{}
	for {
		rest = strings.TrimLeft(rest, " ,")
		if rest == "}" {
			return labels, nil
		}
		name, after, ok := strings.Cut(rest, "=")
		after = strings.TrimSpace(after)
		quoted, err := strconv.QuotedPrefix(after)
		if !ok || err != nil || len(labels) >= maxLabels {
			return nil, bad("the labels %.60q cannot be read", s)
		}
		value, err := strconv.Unquote(quoted)
		if err != nil {
			return nil, bad("the labels %.60q cannot be read", s)
		}
		labels[strings.ToValidUTF8(strings.TrimSpace(name), "\uFFFD")] = strings.ToValidUTF8(value, "\uFFFD")
		rest = after[len(quoted):]
	}
}

// Event makes the event of an entry: labels and metadata are fields, and a line
// that is a JSON object gives its own.
func (e *Entry) Event(now time.Time) (event.Event, record.Notes) {
	var list []event.Field
	notes := e.notes
	line := strings.TrimSpace(e.Line)
	if strings.HasPrefix(line, "{") {
		if parsed, more, err := record.Flatten([]byte(line)); err == nil {
			list = parsed
			notes.Add(more)
		}
	}
	if list == nil {
		list = []event.Field{{Name: event.MessageField, Value: event.String(e.Line)}}
	}
	for _, labels := range []event.Labels{e.Labels, e.Metadata} {
		for name, value := range labels {
			switch name {
			case "service_name", "service":
				name = event.ServiceField
			case "detected_level":
				name = event.LevelField
			}
			list = append(list, event.Field{Name: name, Value: event.String(value)})
		}
	}
	list = append([]event.Field{{Name: event.TimeField, Value: event.Time(e.Time.UnixNano())}}, list...)
	made, more := record.Event(list, record.Defaults{Now: now})
	notes.Add(more)
	return made, notes
}
