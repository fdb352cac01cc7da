package syntax

import (
	"reflect"
	"strings"
	"testing"
)

const sample = `# comes first
input {
  tcp { port => 5000 codec => json_lines { charset => "UTF-8" } type => syslog }
  stdin {}
}
filter {
  if [type] == "apache" and "x" in [tags] or !([a][b] =~ /^\/x/ nand [n] >= -1.5) {
    grok { match => { "message" => ["%{A}", '%{"B}'] 5 => x } }
  } else if [host] not in ["a", "b"] xor ![gone] {
    drop { }
  } else { # nothing
    "mutate" { "add_field" => { "[a][b]" => "\"q\" %{c}" } }
  }
  if "_failed" in [tags] { drop {} }
  if [x] in ["one"] { drop {} }
}
output { stdout { codec => rubydebug } }
`

func TestParseAndPrint(t *testing.T) {
	f, findings := Parse("a.conf", sample)
	if findings != nil {
		t.Fatal(findings)
	}
	if len(f.Sections) != 3 || len(f.Sections[1].Body) != 3 {
		t.Fatalf("%+v", f.Sections)
	}
	if at := f.Sections[1].Body[0].(*Branch).Pos; at != (Pos{7, 3}) {
		t.Errorf("the branch stands at %v", at)
	}
	again, findings := Parse("a.conf", f.String())
	if findings != nil {
		t.Fatalf("%v in\n%s", findings, f)
	}
	if again.String() != f.String() || !reflect.DeepEqual(places(again), places(f)) {
		t.Fatalf("printed\n%s\nread and printed\n%s", f, again)
	}
	b := f.Sections[1].Body[0].(*Branch)
	if got := ConditionText(b.Cases[0].Condition); got != `[type] == "apache" and "x" in [tags] or !([a][b] =~ /^\/x/ nand [n] >= -1.5)` {
		t.Error(got)
	}
	if or := b.Cases[0].Condition.(*Logic); or.Operator != "or" || or.Left.(*Logic).Operator != "and" {
		t.Errorf("and does not bind tighter than or: %+v", or)
	}
}

func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"":                  "",
		"inputs { }":        `1:1: here is "inputs", not a section`,
		"input { stdin { }": "1:7: this block is not closed",
		"input {\n stdin { port => 1, x => 2 }\n}":                                 "2:19: settings are not separated by commas (take the comma away)",
		"filter { mutate { add_tag => [a, ] } }":                                   "a comma before the ]",
		"filter { mutate { add_tag => a-b } }":                                     `1:30: "a-b" needs quotes`,
		"filter { grok { match => { a => b, c => d } } }":                          "not separated by commas",
		"filter { grok { match => { a => b a => d } } }":                           `key "a" stands twice`,
		"filter { if type == \"x\" { } }":                                          `write [type] for the field or "type" for the text`,
		"filter { if [a] = 1 { } }":                                                "not { or and",
		"filter { if [a] =~ [b] { } }":                                             "neither a /regexp/ nor a text",
		"filter { if [a] { } elsif [b] { } }":                                      "else if is two words",
		"filter { else { } }":                                                      "else without an if",
		"filter { mutate { rename { } } }":                                         `plugin "rename" stands inside of another`,
		"filter { mutate { a = b } }":                                              "not =>",
		"filter { a => b }":                                                        `setting "a" stands outside of a plugin`,
		"filter { mutate { a => \"b } }":                                           "1:24: this text is not closed",
		"filter { if f(1) { } }":                                                   "no functions in conditions",
		"filter { date { match => 1.2.3 } }":                                       "is no number",
		strings.Repeat("filter { if [a] { ", 1) + strings.Repeat("if [a] { ", 300): "levels deep",
	} {
		_, findings := Parse("x.conf", text)
		got := ""
		if len(findings) > 0 {
			got = findings[0].String()
		}
		if (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%.60q: %q, want %q", text, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample)
	f.Add(`filter { if ([a] in [b]) { x { y => -1. } } }`)
	f.Add("input { a { b => c { d => [ [ ] , { 'k' => /x/ } ] } } }")
	f.Add(`output { if !("a" == 'b') { "p q" { } } }`)
	f.Add("\ufeffinput{stdin{}}")
	f.Fuzz(func(t *testing.T, text string) {
		file, findings := Parse("f", text)
		if findings != nil {
			if findings[0].Line < 1 || findings[0].Message == "" || findings[0].Mend == "" {
				t.Fatalf("%+v", findings[0])
			}
			return
		}
		printed := file.String()
		again, findings := Parse("f", printed)
		if findings != nil {
			t.Fatalf("%q printed as %q: %v", text, printed, findings)
		}
		if !reflect.DeepEqual(places(file), places(again)) {
			t.Fatalf("%q printed as %q means something else", text, printed)
		}
	})
}

// places forgets where things stand, so that two files can be compared.
func places(f *File) *File {
	for _, s := range f.Sections {
		s.Pos = Pos{}
		forget(s.Body)
	}
	return f
}

func forget(body []Statement) {
	for _, s := range body {
		switch s := s.(type) {
		case *Plugin:
			forgetValue(s)
		case *Branch:
			s.Pos = Pos{}
			for _, c := range s.Cases {
				forgetCondition(c.Condition)
				forget(c.Body)
			}
		}
	}
}

func forgetCondition(c Condition) {
	switch c := c.(type) {
	case *Logic:
		forgetCondition(c.Left)
		forgetCondition(c.Right)
	case *Not:
		forgetCondition(c.Operand)
	case *Group:
		forgetCondition(c.Inner)
	case *Comparison:
		c.Pos = Pos{}
		forgetValue(c.Left)
		forgetValue(c.Right)
	case *Truth:
		forgetValue(c.Value)
	}
}

func forgetValue(v Value) {
	switch v := v.(type) {
	case *String:
		v.Pos = Pos{}
	case *Bareword:
		v.Pos = Pos{}
	case *Number:
		v.Pos = Pos{}
	case *Regexp:
		v.Pos = Pos{}
	case *Selector:
		v.Pos = Pos{}
	case *Array:
		v.Pos = Pos{}
		for _, i := range v.Items {
			forgetValue(i)
		}
	case *Hash:
		v.Pos = Pos{}
		for _, e := range v.Entries {
			forgetValue(e.Key)
			forgetValue(e.Value)
		}
	case *Plugin:
		v.Pos = Pos{}
		for i := range v.Settings {
			v.Settings[i].Pos = Pos{}
			forgetValue(v.Settings[i].Value)
		}
	}
}
