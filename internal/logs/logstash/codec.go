package logstash

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/ianaindex"

	"github.com/daytwo-dev/daytwo/internal/logs/grok"
	"github.com/daytwo-dev/daytwo/internal/logs/logstash/syntax"
)

// codec turns bytes into events and events into bytes.
type codec struct {
	name      string
	delimiter string
	format    *template // of plain and line; nil: time, host and message
	charset   encoding.Encoding
	target    *Ref // of json
	meta      bool // rubydebug shows @metadata
	joins     *joining
	original  bool // keep what came in under [event][original]
}

var codecNames = []string{"plain", "line", "json", "json_lines", "multiline", "rubydebug", "dots"}

// codec reads the setting codec.
func (o *options) codec(otherwise string) *codec {
	v, ok := o.find("codec")
	plugin := &syntax.Plugin{Pos: o.plugin.Pos, Name: otherwise}
	if ok {
		switch v := v.(type) {
		case *syntax.Plugin:
			plugin = v
		default:
			s, isText := o.scalar(v)
			if !isText {
				o.mistyped("codec", v, "json")
			}
			plugin = &syntax.Plugin{Pos: v.At(), Name: s}
		}
	}
	return o.buildCodec(plugin)
}

func (b *builder) buildCodec(plugin *syntax.Plugin) *codec {
	o := b.options("codec", plugin)
	c := &codec{name: plugin.Name, delimiter: "\n", original: o.compatible()}
	if c.name == "rubydebug" && o.has("metadata") {
		c.meta = o.bool("metadata", false)
	}
	o.ignore("id", "enable_metric", "metadata")
	if !slices.Contains(codecNames, c.name) {
		b.wrong(plugin.Pos, "the codecs are "+strings.Join(codecNames, ", "), "codec %s is not carried out", c.name)
		return c
	}
	if name := o.text("charset", "UTF-8"); !strings.EqualFold(name, "UTF-8") && !strings.EqualFold(name, "US-ASCII") && !strings.EqualFold(name, "ASCII-8BIT") && !strings.EqualFold(name, "BINARY") {
		if name == "CP1252" {
			name = "windows-1252"
		}
		charset, err := ianaindex.IANA.Encoding(name)
		if err != nil || charset == nil {
			v, _ := o.find("charset")
			o.wrong(v.At(), "give UTF-8, ISO-8859-1, windows-1252 …", "charset %q is not known", name)
		}
		c.charset = charset
	}
	switch c.name {
	case "plain", "line":
		if o.has("format") {
			c.format = o.template("format", "")
		}
		if c.name == "line" {
			c.delimiter = unescape(o.text("delimiter", "\n"))
		}
	case "json", "json_lines":
		if r, ok := o.target("target"); ok {
			c.target = &r
		}
		if c.name == "json_lines" {
			c.delimiter = unescape(o.text("delimiter", "\n"))
		}
		o.ignore("decode_size_limit_bytes")
	case "multiline":
		c.joins = o.joining()
	}
	o.finish()
	return c
}

// joining says which lines belong together.
type joining struct {
	pattern   *grok.Pattern
	negate    bool
	next      bool // a line that fits belongs to the next, not to the one before
	tag       string
	maxLines  int
	maxBytes  int
	autoFlush time.Duration
}

func (o *options) joining() *joining {
	j := &joining{
		negate: o.bool("negate", false), tag: o.text("multiline_tag", "multiline"), maxLines: o.int("max_lines", 500, 1, 1_000_000),
		maxBytes: 10 << 20, autoFlush: o.seconds("auto_flush_interval", 0),
	}
	o.require("what", "previous")
	j.next = o.choice("what", "previous", "previous", "next") == "next"
	o.ignore("max_bytes")
	o.require("pattern", `"^\s"`)
	p, err := grok.Compile(o.text("pattern", "^"), grok.Options{Patterns: o.patterns(map[bool]grok.Naming{true: grok.ECS, false: grok.Legacy}[o.compatible()]), Timeout: matchTimeout})
	if err != nil {
		v, _ := o.find("pattern")
		o.wrong(v.At(), "mend the expression", "%v", err)
		return j
	}
	j.pattern = p
	return j
}

// decoder decodes what comes from one sender.
type decoder struct {
	*codec
	lines []string // that wait for more, of multiline
	bytes int
	since time.Time // when the last of them came
}

func (c *codec) decoder() *decoder { return &decoder{codec: c} }

// message decodes one whole message: a datagram, a body.
func (d *decoder) message(data []byte, emit func(*Event)) {
	switch d.name {
	case "line", "json_lines", "multiline":
		for _, line := range bytes.Split(bytes.TrimSuffix(data, []byte(d.delimiter)), []byte(d.delimiter)) {
			d.line(line, emit)
		}
		d.flush(emit)
	default:
		d.line(data, emit)
	}
}

// line decodes one line, or message, without its end.
func (d *decoder) line(data []byte, emit func(*Event)) {
	s := d.utf8(data)
	switch d.name {
	case "json", "json_lines":
		if strings.TrimSpace(s) == "" {
			return
		}
		d.json(s, emit)
	case "multiline":
		d.join(strings.TrimSuffix(s, "\r"), emit)
	default:
		if d.name == "line" {
			s = strings.TrimSuffix(s, "\r")
		}
		emit(d.text(s))
	}
}

// utf8 makes text of bytes: what is not of the charset is shown as replacement characters.
func (d *decoder) utf8(data []byte) string {
	if d.charset != nil {
		if out, err := d.charset.NewDecoder().Bytes(data); err == nil {
			return string(out)
		}
	}
	if utf8.Valid(data) {
		return string(data)
	}
	return strings.ToValidUTF8(string(data), "\uFFFD")
}

func (d *decoder) text(s string) *Event {
	fields := make(map[string]any, 12)
	fields["message"] = s
	if d.original {
		fields["event"] = map[string]any{"original": s}
	}
	return newEvent(fields)
}

func (d *decoder) json(s string, emit func(*Event)) {
	v, err := parseJSON([]byte(s))
	if err != nil {
		e := d.text(s)
		e.tag("_jsonparsefailure")
		emit(e)
		return
	}
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	for _, x := range list {
		m, isMap := x.(map[string]any)
		if !isMap {
			e := d.text(s)
			e.tag("_jsonparsefailure")
			emit(e)
			continue
		}
		if d.target != nil {
			e := newEvent(nil)
			e.set(*d.target, m)
			emit(e)
			continue
		}
		e := newEvent(m)
		if d.original && !isList {
			if _, ok := e.fields["event"]; !ok {
				e.fields["event"] = map[string]any{"original": s}
			}
		}
		emit(e)
	}
}

// join puts lines together that belong together.
func (d *decoder) join(s string, emit func(*Event)) {
	belongs := d.joins.pattern != nil && d.joins.pattern.Matches(s) != d.joins.negate
	if !d.joins.next && !belongs {
		d.flush(emit)
	}
	d.lines = append(d.lines, s)
	d.bytes += len(s) + 1
	d.since = time.Now()
	if d.joins.next && !belongs {
		d.flush(emit)
	}
	if len(d.lines) >= d.joins.maxLines || d.bytes >= d.joins.maxBytes {
		tag := "multiline_codec_max_lines_reached"
		if d.bytes >= d.joins.maxBytes {
			tag = "multiline_codec_max_bytes_reached"
		}
		d.flush(func(e *Event) { e.tag(tag); emit(e) })
	}
}

// flush gives what waits for more lines.
func (d *decoder) flush(emit func(*Event)) {
	if len(d.lines) == 0 {
		return
	}
	e := d.text(strings.Join(d.lines, "\n"))
	if len(d.lines) > 1 {
		e.tag(d.joins.tag)
	}
	d.lines, d.bytes = nil, 0
	emit(e)
}

// overdue tells whether what waits has waited long enough.
func (d *decoder) overdue(now time.Time) bool {
	return d.joins != nil && d.joins.autoFlush > 0 && len(d.lines) > 0 && now.Sub(d.since) >= d.joins.autoFlush
}

// encode writes an event.
func (c *codec) encode(e *Event) []byte {
	var out []byte
	switch c.name {
	case "json":
		return jsonText(e.fields)
	case "json_lines":
		return append(jsonText(e.fields), c.delimiter...)
	case "rubydebug":
		fields := e.fields
		if c.meta {
			fields = copyValue(e.fields).(map[string]any)
			fields["@metadata"] = copyMeta(e.meta)
		}
		return append(rubyText(fields, 0), '\n')
	case "dots":
		return []byte(".")
	}
	if c.format != nil {
		out = []byte(c.format.fill(e))
	} else {
		out = []byte(e.String())
	}
	if c.charset != nil {
		if encoded, err := encoding.ReplaceUnsupported(c.charset.NewEncoder()).Bytes(out); err == nil {
			out = encoded
		}
	}
	if c.name == "line" || c.name == "multiline" {
		out = append(out, c.delimiter...)
	}
	return out
}

// String is the event on one line: when, where and what.
func (e *Event) String() string {
	host, ok := e.text(parseRef("host"))
	if !ok {
		host = "%{host}"
	}
	message, ok := e.text(parseRef("message"))
	if !ok {
		message = "%{message}"
	}
	return isoText(e.time()) + " " + host + " " + message
}

// rubyText is a value as the codec rubydebug shows it.
func rubyText(v any, indent int) []byte {
	pad := strings.Repeat(" ", indent)
	var out bytes.Buffer
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			return []byte("{}")
		}
		width := 0
		for k := range v {
			width = max(width, utf8.RuneCountInString(rubyQuote(k)))
		}
		out.WriteString("{\n")
		for i, k := range sortedKeys(v) {
			if i > 0 {
				out.WriteString(",\n")
			}
			q := rubyQuote(k)
			out.WriteString(pad + "    " + strings.Repeat(" ", width-utf8.RuneCountInString(q)) + q + " => ")
			out.Write(rubyText(v[k], indent+4))
		}
		out.WriteString("\n" + pad + "}")
	case []any:
		if len(v) == 0 {
			return []byte("[]")
		}
		out.WriteString("[\n")
		for i, x := range v {
			if i > 0 {
				out.WriteString(",\n")
			}
			fmt.Fprintf(&out, "%s    [%*d] ", pad, len(fmt.Sprint(len(v)-1)), i)
			out.Write(rubyText(x, indent+4))
		}
		out.WriteString("\n" + pad + "]")
	case string:
		out.WriteString(rubyQuote(v))
	case nil:
		out.WriteString("nil")
	default:
		out.WriteString(text(v))
	}
	return out.Bytes()
}

func rubyQuote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, c := range s {
		switch c {
		case '"', '\\':
			b.WriteByte('\\')
			b.WriteRune(c)
		case '\n':
			b.WriteString(`\n`)
		case '\t':
			b.WriteString(`\t`)
		case '\r':
			b.WriteString(`\r`)
		case 0x1b:
			b.WriteString(`\e`)
		default:
			if c < ' ' || c == 0x7f {
				fmt.Fprintf(&b, `\x%02X`, c)
			} else {
				b.WriteRune(c)
			}
		}
	}
	b.WriteByte('"')
	return b.String()
}
