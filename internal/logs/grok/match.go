package grok

import (
	"math/bits"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// walk is one attempt to fit a program to a text. Its memory is reused.
type walk struct {
	s        string
	slots    []int
	trail    []undo // slots as they were, to go back
	rounds   []round
	steps    int
	look     int           // at how many steps to ask whether to go on
	budget   int           // steps to take at most; 0: as many as there is time for
	patience time.Duration // how long to go on
	deadline time.Time     // when patience ends; zero: no look at the clock yet
	gaveUp   bool
	depth    int
}

type undo struct{ slot, was int }

// round is the state of a repetition: how often it went, and where it last began.
type round struct{ n, at int }

// maxWalkDepth bounds how many rounds of repetitions are open at once, each of which takes a few hundred bytes of stack.
const maxWalkDepth = 50_000

// stepsPerLook is how many choices are made between two looks at the clock.
const stepsPerLook = 4096

// reset prepares w for a program and a text.
func (w *walk) reset(p *program, s string) {
	w.s, w.steps, w.look, w.depth, w.gaveUp = s, 0, stepsPerLook, 0, false
	w.trail = w.trail[:0]
	if cap(w.slots) < p.slots {
		w.slots = make([]int, p.slots)
	}
	w.slots = w.slots[:p.slots]
	for i := range w.slots {
		w.slots[i] = -1
	}
	if cap(w.rounds) < p.loops {
		w.rounds = make([]round, p.loops)
	}
	w.rounds = w.rounds[:p.loops]
	for i := range w.rounds {
		w.rounds[i] = round{-1, -1}
	}
}

// find fits p to s from the first place, at start or later, where it does. Afterwards w.gaveUp tells that it ended without an answer.
func (w *walk) find(p *program, s string, start int) bool {
	w.reset(p, s)
	if p.required != "" && !strings.Contains(s, p.required) {
		return false
	}
	for i := start; i <= len(s); i++ {
		if p.anchored && i > 0 {
			return false
		}
		if p.first != nil {
			for i < len(s) && !p.first[s[i]] {
				i++
			}
			if i == len(s) {
				return false
			}
		}
		if p.atLine && i > 0 {
			n := strings.IndexByte(s[i-1:], '\n')
			if n < 0 {
				return false
			}
			i += n
		}
		if i < len(s) && s[i]&0xc0 == 0x80 { // inside of a character
			continue
		}
		if end := w.from(p.start, i); end >= 0 {
			w.slots[0], w.slots[1] = i, end
			return true
		}
		if w.gaveUp {
			return false
		}
		w.back(0)
	}
	return false
}

// back undoes what was remembered since the mark.
func (w *walk) back(mark int) {
	for n := len(w.trail) - 1; n >= mark; n-- {
		w.slots[w.trail[n].slot] = w.trail[n].was
	}
	w.trail = w.trail[:mark]
}

// tired is asked every stepsPerLook steps, and tells whether to give up.
func (w *walk) tired() bool {
	if w.gaveUp {
		return true
	}
	if w.steps >= w.budget && w.budget > 0 {
		w.gaveUp = true
	} else {
		now := time.Now()
		if w.deadline.IsZero() {
			w.deadline = now.Add(w.patience)
		}
		w.gaveUp = now.After(w.deadline)
	}
	if w.look = w.steps + stepsPerLook; w.gaveUp {
		w.look = 0 // from now on at each step
	}
	return w.gaveUp
}

// from fits what begins at in to the text at i and returns where it ends, or -1.
func (w *walk) from(in *inst, i int) int {
	if w.steps++; w.steps >= w.look && w.tired() {
		return -1
	}
	s := w.s
	for {
		switch in.op {
		case opMatch:
			return i
		case opByte:
			if i >= len(s) || s[i] != in.b {
				return -1
			}
			i++
		case opLiteral:
			if !strings.HasPrefix(s[i:], in.lit) {
				return -1
			}
			i += len(in.lit)
		case opSet:
			n := in.set.size(s, i)
			if n == 0 {
				return -1
			}
			i += n
		case opOwned:
			end, ok := in.take(s, i)
			if !ok {
				return -1
			}
			i = end
		case opRun:
			return w.run(in, i)
		case opLazyRun:
			return w.lazyRun(in, i)
		case opCapture:
			w.trail = append(w.trail, undo{in.slot, w.slots[in.slot]})
			w.slots[in.slot] = i
		case opChoice:
			last, end := w.choice(in, i)
			if last == nil {
				return end
			}
			in = last
			continue
		case opLoop:
			return w.loop(in, i)
		case opAgain:
			next, end := w.again(in, i)
			if next == nil {
				return end
			}
			in = next
			continue
		case opAtomic:
			end := w.from(in.sub, i)
			if end < 0 {
				return -1
			}
			i = end
		case opAhead:
			mark := len(w.trail)
			fits := w.from(in.sub, i) >= 0
			if fits == in.not || w.gaveUp {
				return -1
			}
			if in.not {
				w.back(mark)
			}
		case opBehind:
			if w.behind(in, i) == in.not || w.gaveUp {
				return -1
			}
		case opBehindSet:
			fits := false
			if i > 0 {
				_, n := utf8.DecodeLastRuneInString(s[:i])
				fits = in.set.size(s, i-n) == n
			}
			if fits == in.not {
				return -1
			}
		default:
			if !w.anchor(in.op, i) {
				return -1
			}
		}
		in = in.next
	}
}

func (w *walk) anchor(o op, i int) bool {
	s := w.s
	switch o {
	case opLineStart:
		return i == 0 || s[i-1] == '\n' && i < len(s)
	case opLineEnd:
		return i == len(s) || s[i] == '\n'
	case opTextStart:
		return i == 0
	case opTextEnd:
		return i == len(s)
	case opTextEndNL:
		return i == len(s) || i == len(s)-1 && s[i] == '\n'
	case opBoundary:
		return wordBehind(s, i) != wordAhead(s, i)
	}
	return wordBehind(s, i) == wordAhead(s, i)
}

func wordBehind(s string, i int) bool {
	if i == 0 {
		return false
	}
	if c := s[i-1]; c < utf8.RuneSelf {
		return wordByte[c]
	}
	c, _ := utf8.DecodeLastRuneInString(s[:i])
	return wordRune(c)
}

func wordAhead(s string, i int) bool {
	if i >= len(s) {
		return false
	}
	if c := s[i]; c < utf8.RuneSelf {
		return wordByte[c]
	}
	c, _ := utf8.DecodeRuneInString(s[i:])
	return wordRune(c)
}

var wordByte = wordSet.bytes().ascii

// wordRune is what a boundary takes for a part of a word, which reaches beyond ASCII.
func wordRune(c rune) bool {
	return unicode.IsLetter(c) || unicode.IsDigit(c) || unicode.IsMark(c) || unicode.Is(unicode.Pc, c)
}

// take is the longest run of in at i.
func (in *inst) take(s string, i int) (end int, ok bool) {
	set, j := in.set, i
	if in.max < 0 && set.high != highSome {
		for j < len(s) && set.ascii[s[j]] {
			j++
		}
		if in.min <= 1 || set.high == highNone {
			return j, j-i >= in.min
		}
		return j, utf8.RuneCountInString(s[i:j]) >= in.min
	}
	n := 0
	for n != in.max {
		size := set.size(s, j)
		if size == 0 {
			break
		}
		j += size
		n++
	}
	return j, n >= in.min
}

// run tries the longest run first, then shorter ones.
func (w *walk) run(in *inst, i int) int {
	s := w.s
	j, ok := in.take(s, i)
	if !ok {
		return -1
	}
	least := i
	for n := 0; n < in.min; n++ {
		least += in.set.size(s, least)
	}
	mark := len(w.trail)
	for {
		if in.first != nil { // go to where what follows can begin
			for j >= least && (j == len(s) || !in.first[s[j]]) {
				j--
			}
			if j < least {
				return -1
			}
		}
		if j == len(s) || s[j]&0xc0 != 0x80 {
			if end := w.from(in.next, j); end >= 0 {
				return end
			}
			if w.gaveUp {
				return -1
			}
			w.back(mark)
		}
		if j--; j < least {
			return -1
		}
	}
}

// lazyRun tries the shortest run first, then longer ones.
func (w *walk) lazyRun(in *inst, i int) int {
	s, j, n := w.s, i, 0
	for ; n < in.min; n++ {
		size := in.set.size(s, j)
		if size == 0 {
			return -1
		}
		j += size
	}
	if in.stops {
		return w.lazySearch(in, j)
	}
	mark := len(w.trail)
	quick := in.first != nil && in.max < 0 && in.set.high != highSome
	for {
		if quick { // go to where what follows can begin
			for j < len(s) && !in.first[s[j]] && in.set.ascii[s[j]] {
				j++
			}
			if j == len(s) || !in.first[s[j]] && !in.set.ascii[s[j]] {
				return -1
			}
		}
		if in.first == nil || j < len(s) && in.first[s[j]] {
			if end := w.from(in.next, j); end >= 0 {
				return end
			}
			if w.gaveUp {
				return -1
			}
			w.back(mark)
		}
		if n == in.max {
			return -1
		}
		size := in.set.size(s, j)
		if size == 0 {
			return -1
		}
		j += size
		n++
	}
}

// lazySearch is lazyRun of nearly any character up to one byte that alone can follow.
func (w *walk) lazySearch(in *inst, j int) int {
	s, mark := w.s, len(w.trail)
	for {
		n := strings.IndexByte(s[j:], in.b)
		if n < 0 || in.set.except != 0 && strings.IndexByte(s[j:j+n], in.set.except) >= 0 {
			return -1
		}
		j += n
		if end := w.from(in.next, j); end >= 0 || w.gaveUp {
			return end
		}
		w.back(mark)
		if in.b == in.set.except {
			return -1
		}
		j++
	}
}

// choice tries every branch but the last that is possible, which it returns to go on with.
func (w *walk) choice(in *inst, i int) (last *inst, end int) {
	if in.possible == nil {
		return w.wideChoice(in, i)
	}
	s, at := w.s, 256
	if i < len(s) {
		at = int(s[i])
	}
	possible := in.possible[at]
	if possible&(possible-1) == 0 {
		if possible == 0 {
			return nil, -1
		}
		return in.branches[bits.TrailingZeros16(possible)].start, -1
	}
	mark := len(w.trail)
	var asked *probe
	var answer bool
	for ; possible != 0; possible &= possible - 1 {
		b := &in.branches[bits.TrailingZeros16(possible)]
		if b.probe != nil {
			if b.probe != asked {
				asked, answer = b.probe, b.probe.fits(s, i)
			}
			if !answer {
				continue
			}
		}
		if last != nil {
			if end := w.from(last, i); end >= 0 || w.gaveUp {
				return nil, end
			}
			w.back(mark)
		}
		last = b.start
	}
	return last, -1
}

// wideChoice is choice among many branches.
func (w *walk) wideChoice(in *inst, i int) (last *inst, end int) {
	mark := len(w.trail)
	for k := range in.branches {
		b := &in.branches[k]
		if b.first != nil && (i >= len(w.s) || !b.first[w.s[i]]) {
			continue
		}
		if last != nil {
			if end := w.from(last, i); end >= 0 || w.gaveUp {
				return nil, end
			}
			w.back(mark)
		}
		last = b.start
	}
	return last, -1
}

// loop begins a repetition, whose state belongs to who was in it before once it fails.
func (w *walk) loop(in *inst, i int) int {
	before := w.rounds[in.slot]
	w.rounds[in.slot] = round{0, -1}
	end := w.from(in.next, i)
	w.rounds[in.slot] = before
	return end
}

// again goes round once more or on: the first of both that fits, or the last that is possible, to go on with.
func (w *walk) again(in *inst, i int) (next *inst, end int) {
	before := w.rounds[in.slot]
	if before.n < in.min {
		return nil, w.round(in, before, i)
	}
	possible := before.n != in.max && before.at != i // a round that took nothing is not repeated
	if possible && in.first != nil {
		possible = i < len(w.s) && in.first[w.s[i]]
	}
	if !possible {
		return in.next, -1
	}
	mark := len(w.trail)
	if in.lazy {
		if end = w.from(in.next, i); end >= 0 || w.gaveUp {
			return nil, end
		}
		w.back(mark)
	}
	if end = w.round(in, before, i); end >= 0 || w.gaveUp || in.lazy {
		return nil, end
	}
	w.back(mark)
	return in.next, -1
}

// round goes through the body of a repetition once.
func (w *walk) round(in *inst, before round, i int) int {
	if w.depth++; w.depth > maxWalkDepth {
		w.gaveUp, w.look = true, 0
	}
	w.rounds[in.slot] = round{before.n + 1, i}
	end := w.from(in.sub, i)
	w.rounds[in.slot] = before
	w.depth--
	return end
}

// behind tells whether one of the alternatives ends at i.
func (w *walk) behind(in *inst, i int) bool {
	mark := len(w.trail)
	for _, b := range in.branches {
		start := i
		n := 0
		for ; n < b.start.max && start > 0; n++ {
			_, size := utf8.DecodeLastRuneInString(w.s[:start])
			start -= size
		}
		if n == b.start.max && w.from(b.start.sub, start) >= 0 {
			return true
		}
		w.back(mark)
	}
	return false
}
