package audit

import "fmt"

// tale collects the evidence of one factor.
type tale []Evidence

func (t *tale) add(v Verdict, format string, args ...any) {
	*t = append(*t, Evidence{Verdict: v, Text: fmt.Sprintf(format, args...)})
}

func (t *tale) holds(format string, args ...any)    { t.add(Holds, format, args...) }
func (t *tale) weakens(format string, args ...any)  { t.add(Weakens, format, args...) }
func (t *tale) breaks(format string, args ...any)   { t.add(Breaks, format, args...) }
func (t *tale) untested(format string, args ...any) { t.add(Untested, format, args...) }
func (t *tale) note(format string, args ...any)     { t.add(Note, format, args...) }

// at puts the last piece of evidence in its place in the source.
func (t *tale) at(p Place) { last := &(*t)[len(*t)-1]; last.File, last.Line = p.File, p.Line }

// notRun adds why nothing was measured and tells whether that is so.
func (t *tale) notRun(m *Measured) bool {
	switch {
	case m == nil:
		t.untested("no command was given: only the source was read")
	case !m.Ready:
		t.untested("the program did not become ready: %s", m.NotReady)
	default:
		return false
	}
	return true
}

// firstOf is up to n of list, and how many more there are.
func firstOf(list []string, n int) string {
	text := ""
	for i, s := range list {
		if i == n {
			return text + fmt.Sprintf(" and %d more", len(list)-n)
		}
		if i > 0 {
			text += ", "
		}
		text += s
	}
	return text
}
