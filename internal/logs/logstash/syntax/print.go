package syntax

import "strings"

// String writes the file so that Parse reads the same from it. Comments are not kept.
func (f *File) String() string {
	w := writer{}
	for i, s := range f.Sections {
		if i > 0 {
			w.line("")
		}
		w.line(s.Kind + " {")
		w.body(s.Body)
		w.line("}")
	}
	return w.out.String()
}

// Text is a plugin as one writes it, its settings on one line.
func (p *Plugin) Text() string {
	w := writer{flat: true}
	w.plugin(p)
	return w.out.String()
}

// ConditionText is a condition as one writes it.
func ConditionText(c Condition) string {
	w := writer{flat: true}
	w.condition(c)
	return w.out.String()
}

type writer struct {
	out    strings.Builder
	indent int
	flat   bool
}

func (w *writer) margin() { w.out.WriteString(strings.Repeat("  ", w.indent)) }

func (w *writer) line(s string) {
	if s != "" {
		w.margin()
	}
	w.out.WriteString(s + "\n")
}

func (w *writer) body(body []Statement) {
	w.indent++
	for _, s := range body {
		w.margin()
		switch s := s.(type) {
		case *Plugin:
			w.plugin(s)
		case *Branch:
			w.branch(s)
		}
		w.out.WriteByte('\n')
	}
	w.indent--
}

func (w *writer) branch(b *Branch) {
	for i, c := range b.Cases {
		if i > 0 {
			w.out.WriteString(" else ")
		}
		if c.Condition != nil {
			w.out.WriteString("if ")
			w.condition(c.Condition)
			w.out.WriteByte(' ')
		}
		w.out.WriteString("{\n")
		w.body(c.Body)
		w.margin()
		w.out.WriteByte('}')
	}
}

func (w *writer) plugin(p *Plugin) {
	w.name(p.Name)
	if len(p.Settings) == 0 {
		w.out.WriteString(" { }")
		return
	}
	w.out.WriteString(" {")
	w.indent++
	for _, s := range p.Settings {
		w.gap()
		w.name(s.Name)
		w.out.WriteString(" => ")
		w.value(s.Value)
	}
	w.indent--
	w.gap()
	w.out.WriteByte('}')
}

func (w *writer) gap() {
	if w.flat {
		w.out.WriteByte(' ')
		return
	}
	w.out.WriteByte('\n')
	w.margin()
}

func (w *writer) name(s string) {
	if s != "" && strings.IndexFunc(s, func(c rune) bool { return !isNameRune(c) }) < 0 {
		w.out.WriteString(s)
		return
	}
	w.quoted(s, 0)
}

func (w *writer) quoted(s string, quote byte) {
	if quote == 0 {
		quote = '"'
		if strings.Contains(s, `"`) {
			quote = '\''
		}
	}
	w.out.WriteByte(quote)
	w.out.WriteString(s)
	w.out.WriteByte(quote)
}

func (w *writer) value(v Value) {
	switch v := v.(type) {
	case *String:
		w.quoted(v.Text, v.Quote)
	case *Bareword:
		w.out.WriteString(v.Text)
	case *Number:
		w.out.WriteString(v.Text)
	case *Regexp:
		w.out.WriteString("/" + v.Text + "/")
	case *Selector:
		w.out.WriteString(v.Text)
	case *Plugin:
		w.plugin(v)
	case *Array:
		w.out.WriteByte('[')
		for i, item := range v.Items {
			if i > 0 {
				w.out.WriteString(", ")
			}
			w.value(item)
		}
		w.out.WriteByte(']')
	case *Hash:
		w.hash(v)
	}
}

func (w *writer) hash(h *Hash) {
	if len(h.Entries) == 0 {
		w.out.WriteString("{ }")
		return
	}
	w.out.WriteByte('{')
	w.indent++
	for _, e := range h.Entries {
		w.gap()
		w.value(e.Key)
		w.out.WriteString(" => ")
		w.value(e.Value)
	}
	w.indent--
	w.gap()
	w.out.WriteByte('}')
}

func (w *writer) condition(c Condition) {
	switch c := c.(type) {
	case *Logic:
		w.condition(c.Left)
		w.out.WriteString(" " + c.Operator + " ")
		w.condition(c.Right)
	case *Not:
		w.out.WriteString("!")
		w.condition(c.Operand)
	case *Group:
		w.out.WriteString("(")
		w.condition(c.Inner)
		w.out.WriteString(")")
	case *Comparison:
		w.value(c.Left)
		w.out.WriteString(" " + c.Operator + " ")
		w.value(c.Right)
	case *Truth:
		w.value(c.Value)
	}
}
