package logstash

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

var testEnv = Env{Host: "here", Lookup: func(name string) (string, bool) {
	v, ok := map[string]string{"PORT": "5001", "LEVEL": "error"}[name]
	return v, ok
}}

func build(t testing.TB, config string) *Pipeline {
	t.Helper()
	p, findings := Build("t", []Source{{"t.conf", config}}, Settings{Workers: 1, BatchSize: 10, Queue: 10}, testEnv)
	for _, f := range findings {
		if f.Severity == "error" {
			t.Fatalf("%s\n%s", f, config)
		}
	}
	return p
}

// filtered takes events through the filters and gives what comes out, as JSON without @timestamp and @version unless they are asked for.
func filtered(t testing.TB, p *Pipeline, keep bool, events ...*Event) []string {
	t.Helper()
	var out []string
	for _, e := range events {
		process(p.filters, e, func(e *Event) {
			fields := e.Fields()
			if !keep {
				delete(fields, "@timestamp")
			}
			delete(fields, "@version")
			out = append(out, string(jsonText(fields)))
		}, nil)
	}
	return out
}

func eventOf(t testing.TB, s string) *Event {
	t.Helper()
	if !strings.HasPrefix(s, `{"`) {
		return newEvent(map[string]any{"message": s})
	}
	v, err := parseJSON([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return newEvent(v.(map[string]any))
}

func TestFilters(t *testing.T) {
	for _, c := range []struct{ name, filter, in, want string }{
		{"mutate in its order", `mutate { lowercase => ["a"] rename => { "A" => "a" } add_field => { "n" => "%{a}!" } copy => { "a" => "[b][c]" } split => { "a" => "," } join => { "a" => "-" } }`,
			`{"A":"X,Y"}`, `{"a":"x-y","b":{"c":"x-y"},"n":"x-y!"}`},
		{"mutate convert", `mutate { convert => { "i" => "integer" "f" => "float" "b" => "boolean" "s" => "string" "eu" => "float_eu" "l" => "integer" } }`,
			`{"i":"1,234.9","f":"7","b":"yes","s":5,"eu":"1.234,5","l":["1","x"]}`, `{"b":true,"eu":1234.5,"f":7.0,"i":1234,"l":[1,0],"s":"5"}`},
		{"mutate gsub", `mutate { gsub => ["message", "[\\?#-]", ".", "message", "(\w)(\d)", "\2\1"] }`, `a\b?c#d-e1`, `{"message":"a.b.c.d.1e"}`},
		{"mutate merge", `mutate { merge => { "a" => "b" } merge => { "c" => "b" } strip => ["b"] }`, `{"a":["1"],"b":" 2 ","c":"3"}`, `{"a":["1","2"],"b":"2","c":["3","2"]}`},
		{"mutate update and replace", `mutate { update => { "a" => "1" "z" => "1" } replace => { "y" => "%{a}" } uppercase => "y" capitalize => "c" }`, `{"a":"0","c":"heLLO"}`, `{"a":"1","c":"Hello","y":"1"}`},
		{"dissect", `dissect { mapping => { "message" => "%{ts} %{+ts} %{host->} %{?k}=%{&k} %{}: %{rest}" } convert_datatype => { "num" => "int" } }`,
			`Jan 7 web1   num=42 x: all the rest`, `{"host":"web1","message":"Jan 7 web1   num=42 x: all the rest","num":42,"rest":"all the rest","ts":"Jan 7"}`},
		{"dissect that does not fit", `dissect { mapping => { "message" => "%{a}:%{b}" } }`, `ab`, `{"message":"ab","tags":["_dissectfailure"]}`},
		{"dissect in an order", `dissect { mapping => { "message" => "%{+n/2} %{+n/1} %{b}" } }`, `x y z`, `{"b":"z","message":"x y z","n":"y x"}`},
		{"json", `json { source => "message" remove_field => "message" }`, `{"message":"{\"a\":{\"b\":[1,2.5,null]}}"}`, `{"a":{"b":[1,2.5,null]}}`},
		{"json that is none", `json { source => "message" target => "x" }`, `{a`, `{"message":"{a","tags":["_jsonparsefailure"]}`},
		{"kv", `kv { remove_field => "message" }`, `a=1 b="two three" c=[x y] d='q' e= a=2`, `{"a":["1","2"],"b":"two three","c":"x y","d":"q"}`},
		{"kv of a query", `kv { field_split => "&?" target => "q" prefix => "p_" exclude_keys => ["z"] remove_field => "message" }`, `?a=1&b=x%20y&z=0`, `{"q":{"p_a":"1","p_b":"x%20y"}}`},
		{"kv with patterns", `kv { field_split_pattern => ":+" value_split_pattern => "=>" trim_value => "<>" transform_key => "uppercase" remove_field => "message" }`, `a=>1::b=><2>`, `{"A":"1","B":"2"}`},
		{"csv", `csv { columns => ["a", "[b][c]"] convert => { "a" => "integer" } remove_field => "message" }`, `1,"x ""y"", z",3`, `{"a":1,"b":{"c":"x \"y\", z"},"column3":"3"}`},
		{"csv that is none", `csv { separator => ";" }`, `"a;b`, `{"message":"\"a;b","tags":["_csvparsefailure"]}`},
		{"drop by condition", `if [message] =~ /^#/ { drop { } } else if "b" in [message] { mutate { add_tag => "b" } } else { mutate { add_tag => ["other", "%{message}"] } }`, `c`, `{"message":"c","tags":["other","c"]}`},
		{"split", `split { field => "l" add_tag => "s" }`, `{"l":["a","b"]}`, `{"l":"a","tags":["s"]}{"l":"b","tags":["s"]}`},
		{"split text", `split { terminator => "|" }`, `a|b`, `{"message":"a"}{"message":"b"}`},
		{"clone", `clone { clones => ["x"] add_field => { "c" => "1" } ecs_compatibility => disabled }`, `a`, `{"c":"1","message":"a","type":"x"}{"message":"a"}`},
		{"translate", `translate { source => "code" target => "t" dictionary => { "200" => "OK" 404 => "no" } fallback => "?%{code}" }`, `{"code":404}`, `{"code":404,"t":"no"}`},
		{"translate otherwise", `translate { field => "code" destination => "t" dictionary => ["200", "OK"] fallback => "?%{code}" }`, `{"code":"500"}`, `{"code":"500","t":"?500"}`},
		{"translate by expression", `translate { source => "message" target => "t" regex => true exact => true dictionary => { "^a.*z$" => "yes" } }`, `abcz`, `{"message":"abcz","t":"yes"}`},
		{"fingerprint", `fingerprint { source => ["message"] target => "h" method => "SHA256" key => "k" } fingerprint { source => "message" target => "m" method => "MURMUR3" } fingerprint { source => "message" target => "p" method => "PUNCTUATION" }`, `a, b!`,
			`{"h":"c97fdda58867b29b555be82b7a6055c29b8fb00575fae1d61aeec20c037ac349","m":-702100705,"message":"a, b!","p":",!"}`},
		{"useragent", `useragent { source => "message" target => "ua" remove_field => "message" ecs_compatibility => v8 }`, `Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 Safari/537.36`,
			`{"ua":{"device":{"name":"Mac"},"name":"Chrome","original":"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_9_1) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/32.0.1700.77 Safari/537.36","os":{"full":"Mac OS X 10.9.1","name":"Mac OS X","version":"10.9.1"},"version":"32.0.1700"}}`},
		{"prune", `prune { whitelist_names => ["^k", "tags"] blacklist_values => { "k2" => "^bad" } }`, `{"k1":"1","k2":"bad one","x":1}`, `{"k1":"1"}`},
		{"urldecode", `urldecode { }`, `a%20b%C3%A4`, `{"message":"a bä"}`},
		{"cidr", `cidr { address => ["%{ip}"] network => ["10.0.0.0/8", "::1"] add_tag => "in" }`, `{"ip":"10.9.8.7"}`, `{"ip":"10.9.8.7","tags":["in"]}`},
		{"cidr of a field", `cidr { address_field => "[host][ip]" network => "fe80::/10" add_tag => "local" }`, `{"host":{"ip":["10.0.0.1","fe80::1"]}}`, `{"host":{"ip":["10.0.0.1","fe80::1"]},"tags":["local"]}`},
		{"cidr of no field", `cidr { address_field => "ip" network => "10.0.0.0/8" add_tag => "local" }`, `{"n":1}`, `{"n":1}`},
		{"syslog_pri", `syslog_pri { ecs_compatibility => disabled }`, `{"syslog_pri":"165"}`,
			`{"syslog_facility":"local4","syslog_facility_code":20,"syslog_pri":"165","syslog_severity":"notice","syslog_severity_code":5}`},
		{"syslog_pri with ECS names", `syslog_pri { use_labels => false ecs_compatibility => v8 }`, `{"log":{"syslog":{"priority":34}}}`, `{"log":{"syslog":{"facility":{"code":4},"priority":34,"severity":{"code":2}}}}`},
		{"truncate", `truncate { length_bytes => 3 fields => "message" }`, `aäbc`, `{"message":"aä"}`},
		{"de_dot", `de_dot { nested => true }`, `{"a.b":1}`, `{"a":{"b":1}}`},
		{"grok with types and names", `grok { match => { "message" => ["%{NOPE:x}z", "%{IP:[src][ip]} %{NUMBER:n:int} %{GREEDYDATA:message}"] } pattern_definitions => { "NOPE" => "\d{9}" } overwrite => ["message"] ecs_compatibility => disabled }`,
			`10.0.0.1 42.5 hello`, `{"message":"hello","n":42,"src":{"ip":"10.0.0.1"}}`},
		{"grok twice", `grok { match => ["message", "%{WORD:a}", "message", "%{INT:b}"] break_on_match => false tag_on_failure => [] ecs_compatibility => disabled }`, `x 1`, `{"a":"x","b":"1","message":"x 1"}`},
		{"grok failure", `grok { match => { "message" => "^\d+$" } tag_on_failure => ["no", "%{message}"] }`, `x`, `{"message":"x","tags":["no","x"]}`},
		{"environment", `if [level] == "${LEVEL}" { mutate { add_field => { "a" => "${NONE:none}" } } }`, `{"level":"error"}`, `{"a":"none","level":"error"}`},
		{"metadata", `mutate { add_field => { "[@metadata][x]" => "1" } } if [@metadata][x] == "1" { mutate { add_field => { "y" => "%{[@metadata][x]}" } } }`, `a`, `{"message":"a","y":"1"}`},
		{"conditions", `if [n] >= 2 and ([n] < 10 or [s]) and "a" in [l] and [s] not in ["q", "r"] and !([z]) and [f] != "x" nand [no] { mutate { add_tag => "ok" } }`, `{"n":2.0,"l":["a"],"s":"x","f":0}`, `{"f":0,"l":["a"],"n":2.0,"s":"x","tags":["ok"]}`},
		{"templates", `mutate { add_field => { "t" => "%{a}|%{[b][c]}|%{l}|%{no}|%{h}" } }`, `{"a":1.5,"b":{"c":true},"l":["x",1],"h":{"k":1}}`, `{"a":1.5,"b":{"c":true},"h":{"k":1},"l":["x",1],"t":"1.5|true|x,1|%{no}|{\"k\":1}"}`},
	} {
		p := build(t, "filter { "+c.filter+" }")
		got := strings.Join(filtered(t, p, false, eventOf(t, c.in)), "")
		if got != c.want {
			t.Errorf("%s:\n  %s, want\n  %s", c.name, got, c.want)
		}
	}
}

func TestDates(t *testing.T) {
	for _, c := range []struct{ match, in, want string }{
		{`"t", "dd/MMM/yyyy:HH:mm:ss Z"`, `17/May/2015:10:05:03 +0000`, "2015-05-17T10:05:03.000Z"},
		{`"t", "yyyy", "ISO8601"`, `2015-05-17 10:05:03,123`, "2015-05-17T10:05:03.123Z"},
		{`"t", "UNIX"`, `1431857103.5`, "2015-05-17T10:05:03.500Z"},
		{`"t", "UNIX_MS"`, `1431857103001`, "2015-05-17T10:05:03.001Z"},
		{`"t", "TAI64N"`, `@4000000052f88ea32489532c`, "2014-02-10T08:32:25.612979500Z"},
	} {
		p := build(t, `filter { date { match => [`+c.match+`] timezone => "UTC" } }`)
		var got map[string]any
		e := newEvent(map[string]any{"t": c.in})
		if err := json.Unmarshal([]byte(filtered(t, p, true, e)[0]), &got); err != nil {
			t.Fatal(err)
		}
		if got["@timestamp"] != c.want {
			t.Errorf("%s of %q: %v, want %s", c.match, c.in, got["@timestamp"], c.want)
		}
	}
	p := build(t, `filter { date { match => ["t", "MMM d HH:mm:ss"] timezone => "Europe/Vienna" target => "x" } }`)
	p.filters.filter.(*dateFilter).now = func() time.Time { return time.Date(2026, 1, 2, 0, 0, 0, 0, time.UTC) }
	if got := filtered(t, p, false, newEvent(map[string]any{"t": "Dec 31 23:00:00"}), newEvent(map[string]any{"t": "no"})); got[0] != `{"t":"Dec 31 23:00:00","x":"2025-12-31T22:00:00.000Z"}` || got[1] != `{"t":"no","tags":["_dateparsefailure"]}` {
		t.Error(got)
	}
}

func TestThrottleAndElapsed(t *testing.T) {
	p := build(t, `filter { throttle { key => "%{message}" after_count => 2 period => 60 add_tag => "over" } }`)
	got := filtered(t, p, false, eventOf(t, "a"), eventOf(t, "a"), eventOf(t, "a"), eventOf(t, "b"))
	if strings.Join(got, "") != `{"message":"a"}{"message":"a"}{"message":"a","tags":["over"]}{"message":"b"}` {
		t.Error(got)
	}
	p = build(t, `filter { elapsed { start_tag => "s" end_tag => "e" unique_id_field => "id" ecs_compatibility => disabled } }`)
	at := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	got = filtered(t, p, false,
		newEvent(map[string]any{"id": "1", "tags": []any{"s"}, "@timestamp": at}),
		newEvent(map[string]any{"id": "1", "tags": []any{"e"}, "@timestamp": at.Add(1500 * time.Millisecond)}))
	if !strings.Contains(got[1], `"elapsed_time":1.5`) || !p.ordered {
		t.Error(got, p.ordered)
	}
}

func TestFindings(t *testing.T) {
	for config, want := range map[string]string{
		`filter { ruby { code => "event.cancel" } }`:                       `t.conf:1:10: filter ruby is not carried out (daytwo runs no Ruby`,
		`filter { grog { } }`:                                              `filter grog is not carried out (the filters are cidr, clone,`,
		`input { beats { port => 5044 } }`:                                 `input beats is not carried out (let the shipper write`,
		`filter { mutate { add_feild => { "a" => "b" } } }`:                `t.conf:1:19: filter mutate has no setting "add_feild" (it knows add_field`,
		`filter { grok { match => { "message" => "%{IPADRESS:x}" } } }`:    `pattern %{IPADRESS} is not defined`,
		`filter { grok { } }`:                                              `filter grok needs the setting match`,
		`filter { date { match => ["t", "yyyy-bb"] } }`:                    `letter b in time pattern`,
		`filter { date { match => ["t", "ISO8601"] timezone => "Mars" } }`: `"Mars" is no time zone`,
		`filter { mutate { convert => { "a" => "number" } } }`:             `convert cannot make "number"`,
		`filter { mutate { gsub => ["a", "b"] } }`:                         `not three by three`,
		`filter { if [a] =~ /(/ { drop { } } }`:                            `not closed`,
		`filter { mutate { add_tag => "${NO_SUCH}" } }`:                    `the environment variable NO_SUCH is not set`,
		`input { tcp { } }`:                                                `input tcp needs the setting port`,
		`input { tcp { port => 99999 } }`:                                  `port of tcp is out of range: 99999`,
		`input { tcp { port => "x" } }`:                                    `port of tcp is of the wrong kind`,
		`input { if [a] { stdin { } } }`:                                   `an input section has no conditions`,
		`input { stdin { codec => cef } }`:                                 `codec cef is not carried out`,
		`input { file { path => "a.log" } }`:                               `path "a.log" of input file is relative`,
		`output { elasticsearch { action => "delete" } }`:                  `action "delete" is not carried out`,
		`output { file { path => "%{x}/y" } }`:                             `no fixed beginning`,
		`output { elasticsearch { hosts => ["a:9200"] } }`:                 `warning: hosts of elasticsearch is not used`,
		`filter { geoip { source => "ip" database => "/x.mmdb" } }`:        `warning: geoip finds no place`,
		`filter { dissect { mapping => { "m" => "%{a}%{b}" } } }`:          `two fields without a delimiter`,
	} {
		_, findings := Build("t", []Source{{"t.conf", config}}, DefaultSettings(2), testEnv)
		got := ""
		for _, f := range findings {
			got += f.String() + "\n"
		}
		if !strings.Contains(got, want) {
			t.Errorf("%s:\n  %s, want %s", config, got, want)
		}
	}
}

// Without a database of places geoip lets events through, with the tag that Logstash gives them then.
func TestGeoIPWithoutDatabase(t *testing.T) {
	for config, want := range map[string]string{
		`filter { geoip { source => "message" target => "geo" add_tag => ["found"] } }`: `"tags":["_geoip_lookup_failure"]`,
		`filter { geoip { source => "message" tag_on_failure => ["nowhere"] } }`:        `"tags":["nowhere"]`,
	} {
		got := filtered(t, build(t, config), false, eventOf(t, "192.0.2.1"))
		if len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%s: %s", config, got)
		}
	}
}

// A pattern that has a name and no expression is empty, as Logstash takes it, and is warned of.
func TestPatternWithoutExpression(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p"), []byte("PF_NONE\nPF_A a%{PF_NONE}b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, findings := Build("t", []Source{{"t.conf", `filter { grok { patterns_dir => ["` + dir + `"] match => { "message" => "%{PF_A:x}" } } }`}}, DefaultSettings(2), testEnv)
	if problem.Broken(findings) || !strings.Contains(fmt.Sprint(findings), "warning: patterns_dir: the pattern PF_NONE has no expression") {
		t.Fatal(findings)
	}
	if got := filtered(t, p, false, eventOf(t, "ab")); !strings.Contains(got[0], `"x":"ab"`) {
		t.Error(got)
	}
}

// A trial takes lines apart as the input syslog does, with a pattern of its own too.
func TestTrialOfSyslog(t *testing.T) {
	for config, c := range map[string]struct{ line, field, want string }{
		`input { syslog { port => 5140 } }`: {"<13>Nov 29 10:00:00 h app[1]: hi", "message", "hi"},
		`input { syslog { port => 5140 grok_pattern => "<%{POSINT:[log][syslog][priority]:int}>%{WORD:verb} %{GREEDYDATA:rest}" } }`: {"<11>GET it all", "rest", "it all"},
	} {
		var got []Result
		err := NewTrial(build(t, config), testEnv).Run(strings.NewReader(c.line+"\n"), func(r Result) error { got = append(got, r); return nil })
		if err != nil || len(got) != 1 {
			t.Fatal(got, err)
		}
		if got[0].Input != c.line || got[0].Event[c.field] != c.want || got[0].Event["tags"] != nil {
			t.Errorf("%s: %+v", config, got[0])
		}
	}
}

func TestCodecs(t *testing.T) {
	e := newEvent(map[string]any{"message": "a \"b\"\n", "@timestamp": "2020-01-02T03:04:05Z", "n": int64(1), "h": map[string]any{"list": []any{"x", 1.5}, "nothing": nil}})
	e.fields["host"] = "web1"
	e.set(parseRef("[@metadata][m]"), "secret")
	for codec, want := range map[string]string{
		`rubydebug { metadata => true }`:         "{\n     \"@metadata\" => {\n        \"m\" => \"secret\"\n    },\n    \"@timestamp\" => 2020-01-02T03:04:05.000Z,\n      \"@version\" => \"1\",\n             \"h\" => {\n           \"list\" => [\n            [0] \"x\",\n            [1] 1.5\n        ],\n        \"nothing\" => nil\n    },\n          \"host\" => \"web1\",\n       \"message\" => \"a \\\"b\\\"\\n\",\n             \"n\" => 1\n}\n",
		`json_lines`:                             `{"@timestamp":"2020-01-02T03:04:05.000Z","@version":"1","h":{"list":["x",1.5],"nothing":null},"host":"web1","message":"a \"b\"\n","n":1}` + "\n",
		`line { format => "%{n}:%{[h][list]}" }`: "1:x,1.5\n",
		`plain`:                                  "2020-01-02T03:04:05.000Z web1 a \"b\"\n",
		`dots`:                                   ".",
	} {
		p := build(t, `input { stdin { codec => `+codec+` } }`)
		o := (&builder{env: testEnv.Lookup}).options("input", p.inputs[0].plugin)
		if got := string(o.codec("line").encode(e)); got != want {
			t.Errorf("%s:\n%q, want\n%q", codec, got, want)
		}
	}
}

func TestDecode(t *testing.T) {
	for _, c := range []struct{ codec, in, want string }{
		{`line`, "a\r\nb\n", `{"message":"a"}{"message":"b"}`},
		{`json_lines`, `{"a":1}` + "\n\nx\n", `{"a":1}{"message":"x","tags":["_jsonparsefailure"]}`},
		{`json`, `[{"a":1},{"b":{"c":"x"}}]`, `{"a":1}{"b":{"c":"x"}}`},
		{`plain { charset => "ISO-8859-1" }`, "\xe4", `{"message":"ä"}`},
		{`plain`, "a\xff", `{"message":"a�"}`},
		{`multiline { pattern => "^\s" what => "previous" }`, "a\n b\n c\nd", `{"message":"a\n b\n c","tags":["multiline"]}{"message":"d"}`},
		{`multiline { pattern => "\\$" what => "next" }`, "a\\\nb\nc", `{"message":"a\\\nb","tags":["multiline"]}{"message":"c"}`},
		{`multiline { pattern => "^%{YEAR}" negate => true what => "previous" max_lines => 2 }`, "2020 a\nb\nc", `{"message":"2020 a\nb","tags":["multiline","multiline_codec_max_lines_reached"]}{"message":"c"}`},
		{`json`, strings.Repeat("[", 300) + strings.Repeat("]", 300), "_jsonparsefailure"},
	} {
		p := build(t, `input { stdin { codec => `+c.codec+` } }`)
		o := (&builder{env: testEnv.Lookup}).options("input", p.inputs[0].plugin)
		got := ""
		o.codec("line").decoder().message([]byte(c.in), func(e *Event) {
			f := e.Fields()
			delete(f, "@timestamp")
			delete(f, "@version")
			got += string(jsonText(f))
		})
		if got != c.want && (c.want != "_jsonparsefailure" || !strings.Contains(got, c.want)) {
			t.Errorf("%s of %q: %s, want %s", c.codec, c.in, got, c.want)
		}
	}
}

// Whatever comes in and whatever a template or a reference asks for, nothing panics and nested fields stay nested.
func FuzzEvent(f *testing.F) {
	f.Add(`{"a":{"b":[1,"x"]},"tags":"t","@timestamp":"2020"}`, "[a][b][0]", "%{[a][b]} %{+yyyy} %{x")
	f.Add(`{"@timestamp":5,"@metadata":{"x":1}}`, "[@metadata][x]", "%{+%s}%{{yyyy}}")
	f.Add("[[]]", "[a][b]", "%{}")
	f.Fuzz(func(t *testing.T, document, ref, format string) {
		d := (&codec{name: "json"}).decoder()
		d.message([]byte(document), func(e *Event) {
			r := parseRef(ref)
			if e.set(r, "v") && !r.meta && len(r.path) == 1 && r.path[0] != "@timestamp" {
				if v, ok := e.get(r); !ok || v != "v" {
					t.Fatalf("%q is %v", ref, v)
				}
			}
			if tmpl, err := parseTemplate(format); err == nil {
				tmpl.fill(e)
			}
			e.tag("t")
			c := e.clone()
			e.remove(r)
			if len(c.String()) == 0 || len(rubyText(c.fields, 0)) == 0 {
				t.Fatal("no text")
			}
			(&elasticsearch{index: &template{}}).document(c)
		})
	})
}

// Where a folder of patterns cannot be read, that is what is said, once a filter: not of each pattern too that it may hold.
func TestPatternsThatCannotBeRead(t *testing.T) {
	none := filepath.Join(t.TempDir(), "none")
	_, findings := Build("t", []Source{{"t.conf", `filter {
		grok { patterns_dir => "` + none + `" match => { "message" => ["%{MINE}", "%{YOURS} %{WORD:x}"] } }
		grok { match => { "message" => "%{MINE}" } } }`}}, DefaultSettings(1), Env{Lookup: os.LookupEnv})
	if len(findings) != 2 || !strings.Contains(findings[0].Message, none) || findings[0].Line != 2 || !strings.Contains(findings[1].Message, "%{MINE} is not defined") || findings[1].Line != 3 {
		t.Errorf("found %v", findings)
	}
}
