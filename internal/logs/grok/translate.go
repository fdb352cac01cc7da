package grok

import (
	"fmt"
	"strings"
	"unicode"
)

// translation writes a tree in the syntax of another engine.
type translation struct {
	out     strings.Builder
	backing bool   // for a backtracking engine (regexp2), which takes everything
	ascii   bool   // what is written means the same only on ASCII text
	reason  string // why it cannot be written
	noTail  bool   // the same only if the text does not end in a line break
}

// re2 is the expression for Go's regexp package, where it means the same. ascii tells that it does so only on ASCII text, noTail only
// on text that does not end in a line break.
func re2(t *tree) (expression string, ascii, noTail, ok bool) {
	w := translation{}
	w.node(t.root)
	return w.out.String(), w.ascii, w.noTail, w.reason == ""
}

// backtracking is the expression for regexp2.
func backtracking(t *tree) string {
	w := translation{backing: true}
	w.node(t.root)
	return w.out.String()
}

func (w *translation) refuse(reason string) {
	if w.reason == "" {
		w.reason = reason
	}
}

func (w *translation) group(open string, n *node) {
	w.out.WriteString(open)
	w.node(n)
	w.out.WriteByte(')')
}

func (w *translation) node(n *node) {
	switch n.kind {
	case nEmpty:
	case nLiteral:
		for _, c := range n.text {
			w.char(c)
		}
	case nSet:
		w.set(n.set)
	case nConcat:
		for _, s := range n.subs {
			w.node(s)
		}
	case nAlternate:
		w.out.WriteString("(?:")
		for i, s := range n.subs {
			if i > 0 {
				w.out.WriteByte('|')
			}
			w.node(s)
		}
		w.out.WriteByte(')')
	case nRepeat:
		w.repeat(n)
	case nCapture:
		w.group("(", n.subs[0])
	default:
		w.special(n)
	}
}

func (w *translation) special(n *node) {
	switch n.kind {
	case nLineStart:
		w.noTail = true
		w.out.WriteString("(?m:^)")
	case nLineEnd:
		w.out.WriteString("(?m:$)")
	case nTextStart:
		w.out.WriteString(`\A`)
	case nTextEnd:
		w.out.WriteString(`\z`)
	case nTextEndNL:
		w.noTail = true
		if w.backing {
			w.out.WriteString(`\Z`)
		} else {
			w.out.WriteString(`\z`)
		}
	case nBoundary:
		w.ascii = true
		w.out.WriteString(`\b`)
	case nNoBoundary:
		w.ascii = true
		w.out.WriteString(`\B`)
	case nAtomic:
		w.only("atomic groups")
		w.group("(?>", n.subs[0])
	case nAhead:
		w.only("looking ahead")
		w.group(map[bool]string{false: "(?=", true: "(?!"}[n.not], n.subs[0])
	case nBehind:
		w.only("looking behind")
		w.group(map[bool]string{false: "(?<=", true: "(?<!"}[n.not], n.subs[0])
	case nBackref:
		w.only("back references")
		if n.fold {
			fmt.Fprintf(&w.out, `(?i:\%d)`, n.number)
		} else {
			fmt.Fprintf(&w.out, `(?:\%d)`, n.number)
		}
	}
}

func (w *translation) only(what string) {
	if !w.backing {
		w.refuse(what)
	}
}

func (w *translation) repeat(n *node) {
	if n.owned {
		w.only("possessive repetitions")
		w.out.WriteString("(?>")
		defer w.out.WriteByte(')')
	}
	if !w.backing && (n.min > 1000 || n.max > 1000) {
		w.refuse("long repetitions")
		return
	}
	w.group("(?:", n.subs[0])
	switch {
	case n.min == 0 && n.max < 0:
		w.out.WriteByte('*')
	case n.min == 1 && n.max < 0:
		w.out.WriteByte('+')
	case n.min == 0 && n.max == 1:
		w.out.WriteByte('?')
	case n.max < 0:
		fmt.Fprintf(&w.out, "{%d,}", n.min)
	default:
		fmt.Fprintf(&w.out, "{%d,%d}", n.min, n.max)
	}
	if n.lazy {
		w.out.WriteByte('?')
	}
}

func (w *translation) set(s charset) {
	switch {
	case len(s) == 0:
		if w.backing {
			w.out.WriteString("(?!)")
		} else {
			w.out.WriteString(`[^\x00-\x{10FFFF}]`)
		}
		return
	case len(s) == 1 && s[0].lo == 0 && s[0].hi == unicode.MaxRune:
		w.out.WriteString("(?s:.)")
		return
	}
	w.out.WriteByte('[')
	for _, r := range s {
		w.char(r.lo)
		if r.hi > r.lo {
			w.out.WriteByte('-')
			w.char(r.hi)
		}
	}
	w.out.WriteByte(']')
}

// char writes one character so that it stands for itself in and outside of a class.
func (w *translation) char(c rune) {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == ' ':
		w.out.WriteRune(c)
	case c < 0x80:
		fmt.Fprintf(&w.out, `\x%02x`, c)
	case !w.backing:
		fmt.Fprintf(&w.out, `\x{%x}`, c)
	case c <= 0xffff:
		fmt.Fprintf(&w.out, `\u%04x`, c)
	default:
		w.out.WriteRune(c)
	}
}
