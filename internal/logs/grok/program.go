package grok

import (
	"strings"
	"unicode/utf8"
)

// op tells what an instruction of a program does.
type op uint8

const (
	opMatch     op = iota // the program fits
	opByte                // one byte
	opLiteral             // several bytes
	opSet                 // one character of a set
	opRun                 // as many characters of a set as possible, then fewer
	opOwned               // as many as possible and never fewer
	opLazyRun             // as few as possible, then more
	opChoice              // the first branch that fits
	opLoop                // enters a counted repetition
	opAgain               // one more round of it, or on
	opCapture             // remembers a position
	opAtomic              // a program of its own, not gone back into
	opAhead               // looks ahead
	opBehind              // looks behind
	opBehindSet           // looks at the one character behind
	opLineStart
	opLineEnd
	opTextStart
	opTextEnd
	opTextEndNL
	opBoundary
	opNoBoundary
)

// inst is one instruction; what comes after it is linked, so that matching is walking. What most of them need is in its first 64 bytes,
// which a processor fetches at once.
type inst struct {
	op       op
	not      bool
	lazy     bool
	stops    bool // only b can follow this lazy run, and the run itself is of nearly any character
	b        byte
	next     *inst
	set      *byteset
	first    *[256]bool // bytes that what comes after a run, or a loop's body, can begin with; nil: any, or none
	min, max int        // max -1: without end
	lit      string

	slot     int // of a capture, or the number of a loop
	sub      *inst
	branches []branch
	possible *[257]uint16 // by the byte that stands here, or 256 for the end: a bit for each branch that can begin with it; nil: too many branches
}

// branch is one way of a choice.
type branch struct {
	start *inst
	first *[256]bool // bytes it can begin with; nil: any, or none at all
	probe *probe     // what must stand here for it to fit; nil: nothing known
}

// probe is a quick condition: min to max characters of set, and then byte b, which is not in set. Branches that ask the same share
// it, so that it is asked once.
type probe struct {
	set      *byteset
	min, max int
	b        byte
}

func (p *probe) fits(s string, i int) bool {
	j := i
	for end := min(len(s), i+p.max); j < end && p.set.ascii[s[j]]; j++ {
	}
	return j-i >= p.min && j < len(s) && s[j] == p.b
}

func (p *probe) same(q *probe) bool {
	return p.min == q.min && p.max == q.max && p.b == q.b && p.set.ascii == q.set.ascii
}

// program is a compiled expression of the first tier.
type program struct {
	start    *inst
	loops    int
	slots    int
	first    *[256]bool // bytes a match can begin with; nil: any
	anchored bool       // a match can only begin where the text does
	atLine   bool       // a match can only begin where a line does
	required string     // a text that every match contains
}

// maxInsts bounds a program, as counted repetitions of groups that are spelled out make it grow.
const maxInsts = 200_000

// compiler makes a program from a tree, last part first, since every instruction knows what comes after it.
type compiler struct {
	loops   int
	insts   int
	reason  string // why the first tier does not take it
	sets    map[string]*byteset
	tables  map[[257]uint16]*[257]uint16
	runs    []*inst // what is looked at again once everything is linked
	choices []*inst
	agains  []*inst
}

// compileProgram returns nil and the reason if the expression needs another tier.
func compileProgram(t *tree) (*program, string) {
	c := compiler{sets: map[string]*byteset{}, tables: map[[257]uint16]*[257]uint16{}}
	start := c.node(t.root, &inst{op: opMatch})
	if c.reason == "" && c.insts > maxInsts {
		c.reason = "the expression is too large"
	}
	if c.reason != "" {
		return nil, c.reason
	}
	c.analyse()
	p := &program{start: start, loops: c.loops, slots: 2 * (len(t.names) + 1), anchored: start.op == opTextStart, atLine: start.op == opLineStart}
	if first, empty := firstBytes(start); !empty {
		p.first = first
	}
	p.required = requiredText(t.root)
	return p, ""
}

func (c *compiler) refuse(reason string) *inst {
	if c.reason == "" {
		c.reason = reason
	}
	return &inst{op: opMatch}
}

func (c *compiler) node(n *node, next *inst) *inst {
	if c.insts++; c.reason != "" || c.insts > maxInsts {
		return next
	}
	switch n.kind {
	case nEmpty:
		return next
	case nLiteral:
		if len(n.text) == 1 {
			return &inst{op: opByte, b: n.text[0], next: next}
		}
		return &inst{op: opLiteral, lit: n.text, next: next}
	case nSet:
		return &inst{op: opSet, set: c.bytes(n.set), next: next}
	case nConcat:
		for i := len(n.subs) - 1; i >= 0; i-- {
			next = c.node(n.subs[i], next)
		}
		return next
	case nAlternate:
		return c.choice(n.subs, next)
	case nRepeat:
		return c.repeat(n, next)
	case nCapture:
		end := &inst{op: opCapture, slot: 2*n.number + 1, next: next}
		return &inst{op: opCapture, slot: 2 * n.number, next: c.node(n.subs[0], end)}
	case nAtomic:
		return &inst{op: opAtomic, sub: c.node(n.subs[0], &inst{op: opMatch}), next: next}
	case nAhead:
		return &inst{op: opAhead, not: n.not, sub: c.node(n.subs[0], &inst{op: opMatch}), next: next}
	case nBehind:
		return c.behind(n, next)
	case nBackref:
		return c.refuse("it refers back to a group")
	}
	return &inst{op: anchors[n.kind], next: next}
}

var anchors = map[kind]op{
	nLineStart: opLineStart, nLineEnd: opLineEnd, nTextStart: opTextStart, nTextEnd: opTextEnd,
	nTextEndNL: opTextEndNL, nBoundary: opBoundary, nNoBoundary: opNoBoundary,
}

func (c *compiler) bytes(s charset) *byteset {
	var key strings.Builder
	for _, r := range s {
		key.WriteRune(r.lo)
		key.WriteRune(r.hi)
	}
	if b, ok := c.sets[key.String()]; ok {
		return b
	}
	b := s.bytes()
	c.sets[key.String()] = b
	return b
}

func (c *compiler) choice(subs []*node, next *inst) *inst {
	in := &inst{op: opChoice, next: next}
	for _, sub := range subs {
		in.branches = append(in.branches, branch{start: c.node(sub, next)})
	}
	c.choices = append(c.choices, in)
	return in
}

// analyse finds what can be told beforehand of every choice and run.
func (c *compiler) analyse() {
	for _, in := range c.runs {
		first, empty := firstBytes(in.next)
		if empty {
			continue
		}
		if in.first = first; in.op == opRun && disjoint(&in.set.ascii, first) {
			in.op = opOwned
		}
		if b, only := single(first); only && in.op == opLazyRun && in.max < 0 && in.set.most && b < utf8.RuneSelf {
			in.stops, in.b = true, b
		}
	}
	for _, in := range c.choices {
		for i := range in.branches {
			b := &in.branches[i]
			if b.probe = probeOf(b.start); b.start == in.next { // the empty branch of an optional part
				b.probe = nil
			}
			if first, empty := firstBytes(b.start); !empty {
				b.first = first
			}
		}
		shareProbes(in.branches)
		in.possible = c.possible(in.branches)
	}
	for _, in := range c.agains {
		if first, empty := firstBytes(in.sub); !empty {
			in.first = first
		}
	}
}

// possible tells for each byte which branches can begin with it. Choices of which the same can be told share it.
func (c *compiler) possible(branches []branch) *[257]uint16 {
	if len(branches) > 16 {
		return nil
	}
	var table [257]uint16
	for k, b := range branches {
		for at := range table {
			if b.first == nil || at < 256 && b.first[at] {
				table[at] |= 1 << k
			}
		}
	}
	known, ok := c.tables[table]
	if !ok {
		known = &table
		c.tables[table] = known
	}
	return known
}

// shareProbes gives equal probes of neighbours one pointer, and drops those that stand alone: the branch asks the same itself.
func shareProbes(branches []branch) {
	for i := range branches {
		if i > 0 && branches[i].probe != nil && branches[i-1].probe != nil && branches[i].probe.same(branches[i-1].probe) {
			branches[i].probe = branches[i-1].probe
		}
	}
	for i := range branches {
		p := branches[i].probe
		alone := (i == 0 || branches[i-1].probe != p) && (i+1 == len(branches) || branches[i+1].probe != p)
		if alone {
			branches[i].probe = nil
		}
	}
}

// probeOf finds the quick condition that a program begins with: a bounded run and a byte that ends it, maybe inside repetitions
// that go round at least once.
func probeOf(in *inst) *probe {
	for depth := 0; in != nil && depth < 16; depth++ {
		switch in.op {
		case opCapture:
			in = in.next
		case opLoop:
			if in.min < 1 {
				return nil
			}
			in = in.sub
		case opRun, opOwned:
			if in.min < 1 || in.max < 0 || in.set.high != highNone || in.next == nil || in.next.op != opByte || in.set.ascii[in.next.b] {
				return nil
			}
			return &probe{set: in.set, min: in.min, max: in.max, b: in.next.b}
		default:
			return nil
		}
	}
	return nil
}

func (c *compiler) repeat(n *node, next *inst) *inst {
	sub := n.subs[0]
	if n.owned { // a++ is (?>a+)
		greedy := *n
		greedy.owned = false
		return c.node(&node{kind: nAtomic, subs: []*node{&greedy}}, next)
	}
	if n.max == 0 {
		return next
	}
	if set, ok := singleSet(sub); ok {
		return c.run(n, c.bytes(set), next)
	}
	if n.min == 1 && n.max == 1 {
		return c.node(sub, next)
	}
	if n.min == 0 && n.max == 1 {
		in := &inst{op: opChoice, next: next}
		once, none := branch{start: c.node(sub, next)}, branch{start: next}
		in.branches = []branch{once, none}
		if n.lazy {
			in.branches = []branch{none, once}
		}
		c.choices = append(c.choices, in)
		return in
	}
	again := &inst{op: opAgain, min: n.min, max: n.max, lazy: n.lazy, slot: c.loops, next: next}
	c.loops++
	again.sub = c.node(sub, again)
	c.agains = append(c.agains, again)
	return &inst{op: opLoop, slot: again.slot, min: n.min, sub: again.sub, next: again}
}

// singleSet is the set of a part that is always exactly one character.
func singleSet(n *node) (charset, bool) {
	switch n.kind {
	case nSet:
		return n.set, true
	case nLiteral:
		if c, size := utf8.DecodeRuneInString(n.text); size == len(n.text) {
			return setOf(charRange{c, c}), true
		}
	case nConcat:
		if len(n.subs) == 1 {
			return singleSet(n.subs[0])
		}
	}
	return nil, false
}

// run is a repetition of single characters. When what follows can begin with none of them, giving one back is of no use, and the
// run keeps all it took.
func (c *compiler) run(n *node, set *byteset, next *inst) *inst {
	in := &inst{op: opRun, set: set, min: n.min, max: n.max, next: next}
	if n.lazy {
		in.op = opLazyRun
	}
	c.runs = append(c.runs, in)
	return in
}

// single is the one byte of a set that has no other.
func single(set *[256]bool) (b byte, only bool) {
	n := 0
	for i, ok := range set {
		if ok {
			b = byte(i)
			n++
		}
	}
	return b, n == 1
}

func disjoint(a, b *[256]bool) bool {
	for i := range a {
		if a[i] && b[i] {
			return false
		}
	}
	return true
}

// behind compiles a look behind: its alternatives must each have one length.
func (c *compiler) behind(n *node, next *inst) *inst {
	sub := n.subs[0]
	if set, ok := singleSet(sub); ok {
		return &inst{op: opBehindSet, not: n.not, set: c.bytes(set), next: next}
	}
	alternatives := []*node{sub}
	if sub.kind == nAlternate {
		alternatives = sub.subs
	}
	in := &inst{op: opBehind, not: n.not, next: next}
	for _, a := range alternatives {
		width, ok := width(a)
		if !ok {
			return c.refuse("it looks behind for texts of different lengths")
		}
		in.branches = append(in.branches, branch{start: &inst{max: width, sub: c.node(a, &inst{op: opMatch})}})
	}
	return in
}

// width is the length in characters of every text that a part fits, if it has one.
func width(n *node) (int, bool) {
	switch n.kind {
	case nLiteral:
		return utf8.RuneCountInString(n.text), true
	case nSet:
		return 1, true
	case nConcat:
		sum := 0
		for _, s := range n.subs {
			w, ok := width(s)
			if !ok {
				return 0, false
			}
			sum += w
		}
		return sum, true
	case nAlternate:
		first, ok := width(n.subs[0])
		for _, s := range n.subs[1:] {
			w, fits := width(s)
			ok = ok && fits && w == first
		}
		return first, ok
	case nRepeat:
		w, ok := width(n.subs[0])
		return w * n.min, ok && n.min == n.max
	case nCapture, nAtomic:
		return width(n.subs[0])
	case nBackref:
		return 0, false
	}
	return 0, true
}

// firstBytes is the bytes that what begins at in can begin with, and whether it can be empty up to the end of its program. It
// looks only so far; beyond, everything is possible.
func firstBytes(in *inst) (first *[256]bool, empty bool) {
	f := firstSearch{left: 3000}
	empty = f.add(in, 0)
	return &f.out, empty
}

type firstSearch struct {
	out  [256]bool
	left int // instructions to look at
}

const firstDepth = 40

func (f *firstSearch) add(in *inst, depth int) (empty bool) {
	for ; in != nil; depth++ {
		if f.left--; depth > firstDepth || f.left < 0 {
			return true
		}
		switch in.op {
		case opMatch:
			return true
		case opByte:
			f.out[in.b] = true
			return false
		case opLiteral:
			f.out[in.lit[0]] = true
			return false
		case opSet:
			addAll(&f.out, &in.set.ascii)
			return false
		case opRun, opOwned, opLazyRun:
			addAll(&f.out, &in.set.ascii)
			if in.min > 0 {
				return false
			}
			in = in.next
		case opChoice:
			for _, b := range in.branches {
				if b.first != nil {
					addAll(&f.out, b.first)
				} else if f.add(b.start, depth+1) {
					empty = true
				}
			}
			return empty
		case opLoop:
			if in.min == 0 && f.add(in.next.next, depth+1) {
				return true
			}
			return f.add(in.sub, depth+1)
		case opAgain:
			if f.add(in.next, depth+1) {
				return true
			}
			if in.first != nil {
				return addAll(&f.out, in.first)
			}
			return f.add(in.sub, depth+1)
		case opAtomic:
			if !f.add(in.sub, depth+1) {
				return false
			}
			in = in.next
		default: // looks, anchors, captures: what follows must still fit
			in = in.next
		}
	}
	return true
}

// addAll returns false, for what is added is never empty.
func addAll(out, in *[256]bool) bool {
	for i, ok := range in {
		if ok {
			out[i] = true
		}
	}
	return false
}

// requiredText is the longest text that stands in every match.
func requiredText(n *node) string {
	switch n.kind {
	case nLiteral:
		return n.text
	case nConcat:
		best := ""
		for _, s := range n.subs {
			if t := requiredText(s); len(t) > len(best) {
				best = t
			}
		}
		return best
	case nCapture, nAtomic:
		return requiredText(n.subs[0])
	case nRepeat:
		if n.min > 0 {
			return requiredText(n.subs[0])
		}
	}
	return ""
}
