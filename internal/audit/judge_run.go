package audit

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// followsPort tells whether two replicas listened where PORT said.
func followsPort(m *Measured) bool {
	return slices.Contains(m.Listens, m.Port) && m.SecondReady
}

// IV. A backing service may go away and come back.
func judgeBackingServices(_ Source, m *Measured) []Evidence {
	var t tale
	if t.notRun(m) {
		return t
	}
	if len(m.Backing) == 0 {
		t.untested("no variable given with --env holds the URL of a backing service")
	}
	for _, c := range m.Backing {
		switch {
		case !c.Reachable:
			t.untested("%s: nothing listens on %s", c.Variable, c.Address)
		case c.Connections == 0:
			t.untested("%s: it made no connection to %s while it was asked for the request path; name a path that needs it with --request", c.Variable, c.Address)
		case c.Died:
			t.breaks("%s: it ended when the connection to %s was cut", c.Variable, c.Address)
		case !c.Recovered:
			t.breaks("%s: with %s back it still answers %s after %.0f s", c.Variable, c.Address, status(c.After), c.Took.Seconds())
		default:
			t.holds("%s: cut off from %s it answered %s, and %d ms after it was back %s, without a restart",
				c.Variable, c.Address, status(c.During), c.Took.Milliseconds(), status(c.After))
		}
	}
	return t
}

func status(code int) string {
	if code == 0 {
		return "nothing"
	}
	return fmt.Sprintf("%d %s", code, http.StatusText(code))
}

// V. What is built is always the same, and what runs is never changed.
func judgeBuild(_ Source, m *Measured) []Evidence {
	var t tale
	if t.notRun(m) {
		return t
	}
	switch b := m.Builds; {
	case b.Failed != "":
		t.breaks("does not build: %s", b.Failed)
	case b.Tested && b.Same:
		t.holds("two builds gave the same program, sha256 %.12s", b.Hash)
	case b.Tested:
		t.weakens("two builds of the same source gave different programs")
	case m.Compiled:
		t.untested("whether two builds give the same program: give the build command with --build")
	default:
		t.note("runs from its source: there is no build to repeat")
	}
	switch f := m.First; {
	case !f.Tested:
		t.untested("whether it runs from a read-only root: %s", f.Reason)
	case f.ReadOnly:
		t.holds("runs from a read-only root, with a temporary folder to write to")
	default:
		t.breaks("does not run from a read-only root: %s", f.Refused)
	}
	return t
}

// VI. A process keeps nothing that the next one needs.
func judgeProcesses(_ Source, m *Measured) []Evidence {
	var t tale
	if t.notRun(m) {
		return t
	}
	switch r := m.Restart; {
	case !r.Tested:
		t.untested("a restart after kill -9: %s", r.Reason)
	case r.Ready:
		t.holds("after kill -9 it was ready again in %d ms", r.Took.Milliseconds())
	default:
		t.breaks("after kill -9 it did not become ready again: %s", r.Reason)
	}
	by := map[Where][]string{}
	for _, w := range m.Writes {
		if !w.Log { // the logs' fault
			by[w.Where] = append(by[w.Where], w.Path)
		}
	}
	for _, where := range []Where{InFolder, InHome, Elsewhere} {
		if files := by[where]; len(files) > 0 {
			t.breaks("writes files in %s, which no other process has: %s", where, firstOf(files, 5))
		}
	}
	if files := by[InData]; len(files) > 0 {
		t.weakens("keeps its state in files: %s; it is as available as the volume they are on", firstOf(files, 5))
	}
	if files := by[InTemp]; len(files) > 0 {
		t.note("wrote %d temporary files", len(files))
	}
	if len(by) == 0 {
		t.holds("wrote no file")
	}
	if m.Survived > 0 {
		t.weakens("left %d processes behind when it ended; they were ended", m.Survived)
	}
	return t
}

// VII. The program exports its service by a port that it is told.
func judgePortBinding(_ Source, m *Measured) []Evidence {
	var t tale
	if m != nil && m.Flooded != "" {
		t.note("%s", m.Flooded)
	}
	if m != nil && !m.Ready {
		t.breaks("does not answer on a port that it is told: %s", m.NotReady)
		return t
	}
	if t.notRun(m) {
		return t
	}
	if !slices.Contains(m.Listens, m.Port) {
		t.breaks("given PORT %d it listens on %s: the port is fixed", m.Port, numbers(m.Listens))
		return t
	}
	t.holds("given PORT %d it answers there (%s)", m.Port, m.ReadyPath)
	if m.SecondReady {
		t.holds("given PORT %d it answers there", m.SecondPort)
	} else {
		t.breaks("given PORT %d beside the first it does not become ready: %s", m.SecondPort, m.SecondReason)
	}
	if others := slices.DeleteFunc(slices.Clone(m.Listens), func(p int) bool { return p == m.Port }); len(others) > 0 {
		t.note("listens on %s as well", numbers(others))
	}
	return t
}

func numbers(list []int) string {
	text := make([]string, len(list))
	for i, n := range list {
		text[i] = fmt.Sprint(n)
	}
	return strings.Join(text, ", ")
}

// VIII. More of it is more processes of it.
func judgeConcurrency(s Source, m *Measured) []Evidence {
	var t tale
	for _, p := range s.Docker {
		t.weakens("the shell form hides SIGTERM from the program: write it as a JSON list")
		t.at(p)
	}
	if t.notRun(m) {
		return t
	}
	switch {
	case m.BothAnswered && m.Volume:
		t.weakens("two replicas answer side by side, each with a volume of its own: what one knows the other does not")
	case m.BothAnswered:
		t.holds("two replicas answer side by side")
	default:
		t.breaks("a second replica does not run beside the first: %s", m.SecondReason)
	}
	switch f := m.First; {
	case !f.Tested:
		t.untested("how it ends as process 1: %s", f.Reason)
	case f.Ended:
		t.holds("as process 1 of a namespace it ends on SIGTERM (%d ms)", f.Exit.Milliseconds())
	default:
		t.weakens("as process 1 of a namespace (a container) it ignores SIGTERM: the kernel has no default action for it there, so it must be handled")
	}
	return t
}

// quickStart is what a platform can wait for without noticing.
const quickStart = 10 * time.Second

// IX. It starts fast and ends well.
func judgeDisposability(_ Source, m *Measured) []Evidence {
	var t tale
	if t.notRun(m) {
		return t
	}
	if m.ReadyAfter <= quickStart {
		t.holds("ready %d ms after its start", m.ReadyAfter.Milliseconds())
	} else {
		t.weakens("ready %.1f s after its start", m.ReadyAfter.Seconds())
	}
	d := m.Drain
	if !d.Tested {
		t.untested("SIGTERM under load: %s", d.Reason)
		return t
	}
	switch {
	case d.Lost > 0:
		t.breaks("SIGTERM lost %d of %d requests on their way (%s)", d.Lost, d.InFlight, d.Error)
	case d.InFlight == 0:
		t.untested("no request was on its way at SIGTERM: name a path that takes its time with --request")
	default:
		t.holds("SIGTERM lost none of %d requests on their way", d.InFlight)
	}
	switch {
	case !d.Ended:
		t.breaks("did not end within %.0f s of SIGTERM and was killed", d.Exit.Seconds())
	case d.Signaled:
		t.weakens("does not handle SIGTERM: the signal ended it after %d ms", d.Exit.Milliseconds())
	case d.Status == 0 || d.Status == 143: // 143: what the Java runtime answers after its shutdown hooks
		t.holds("ended %d ms after SIGTERM with status %d", d.Exit.Milliseconds(), d.Status)
	default:
		t.weakens("ended %d ms after SIGTERM with status %d, as if it had failed", d.Exit.Milliseconds(), d.Status)
	}
	return t
}

// XI. Logs are a stream of events on standard output.
func judgeLogs(s Source, m *Measured) []Evidence {
	var t tale
	about := Weakens
	if m != nil && m.Ready {
		about = Note // what it wrote is known
	}
	for i, p := range s.LogFiles {
		if i < 5 {
			t.add(about, "the code seems to set up a log file")
			t.at(p)
		}
	}
	if m != nil && m.Flooded != "" {
		t.breaks("floods its output: %s", m.Flooded)
		return t
	}
	if t.notRun(m) {
		return t
	}
	var files []string
	for _, w := range m.Writes {
		if w.Log {
			files = append(files, w.Path)
		}
	}
	if len(files) > 0 {
		t.breaks("writes log files: %s", firstOf(files, 5))
	}
	if m.Output.Bytes > 0 {
		t.holds("writes to standard output or error: %d bytes, %.1f a request over %d requests", m.Output.Bytes, m.Output.PerRequest, m.Output.Requests)
	} else {
		t.weakens("writes nothing to standard output or error")
	}
	switch r := m.Slow; {
	case !r.Tested:
		t.untested("a reader of its output that stops: %s", r.Reason)
	case r.Blocked > 0:
		t.weakens("a reader of its output that stops reading stops the program: %d of %d requests got no answer", r.Blocked, r.Blocked+r.Answered)
	case r.Filled:
		t.holds("a reader of its output that stops reading does not stop it: %d requests answered with the pipe full", r.Answered)
	default:
		t.holds("a reader of its output that stops reading does not stop it: %d requests answered, and too little written to fill a pipe of 4 KiB", r.Answered)
	}
	return t
}
