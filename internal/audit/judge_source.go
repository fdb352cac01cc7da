package audit

import (
	"slices"
	"strings"
)

// I. One codebase tracked in revision control, and the running program says
// which commit of it it is.
func judgeCodebase(s Source, m *Measured) []Evidence {
	var t tale
	switch {
	case !s.Git:
		t.breaks("the folder is in no git repository")
		return t
	case s.Commit == "":
		t.weakens("the repository has no commit")
		return t
	}
	t.holds("one git repository, at commit %.12s", s.Commit)
	if s.Submodule > 0 {
		t.note("%d submodules", s.Submodule)
	}
	if s.Changed > 0 {
		t.note("%d tracked files differ from the commit", s.Changed)
	}
	if t.notRun(m) {
		return t
	}
	switch {
	case m.Revision == s.Commit && m.Modified:
		t.holds("the executable was built from this commit, with changes")
	case m.Revision == s.Commit:
		t.holds("the executable names this commit")
	case m.Revision != "":
		t.weakens("the executable was built from another commit, %.12s", m.Revision)
	case m.Commit != "":
		t.holds("the running program names this commit (%s)", m.Commit)
	default:
		t.weakens("nothing ties the running program to the commit: not its build information, its output, /version or /metrics")
	}
	return t
}

// II. Dependencies are declared, pinned, and enough.
func judgeDependencies(s Source, m *Measured) []Evidence {
	var t tale
	if len(s.Manifests) == 0 {
		t.weakens("no file declares dependencies (go.mod, package.json, requirements.txt …)")
	}
	for _, f := range s.Manifests {
		switch {
		case f.None && f.Lock == "":
			t.holds("declares that there are no dependencies")
		case len(f.Loose) > 0:
			t.weakens("not pinned: %s", firstOf(f.Loose, 5))
		case f.Lock == "":
			t.breaks("dependencies without a lock file: a build tomorrow may get others")
		default:
			t.holds("dependencies are pinned by %s", f.Lock)
		}
		t.at(Place{File: f.File})
	}
	if t.notRun(m) {
		return t
	}
	t.holds("runs with nothing of the caller's environment but PATH, and a home of its own")
	switch {
	case m.Builds.Failed != "":
		t.breaks("does not build%s: %s", map[bool]string{true: " without the network"}[m.Builds.Offline], m.Builds.Failed)
	case m.Builds.Tested && m.Builds.Offline:
		t.holds("builds without the network, from what is fetched beforehand (%.1f s)", m.Builds.Took.Seconds())
	case m.Builds.Tested:
		t.untested("whether it builds without the network: namespaces are not permitted here")
	case m.Compiled:
		t.untested("whether it builds without the network: give the build command with --build")
	}
	return t
}

// III. Configuration is in the environment, and nothing secret in the code.
func judgeConfiguration(s Source, m *Measured) []Evidence {
	var t tale
	tests := 0
	for _, x := range s.Secrets {
		if x.Test {
			tests++
			continue
		}
		t.breaks("%s in the source", x.Kind)
		t.at(x.Place)
	}
	switch {
	case s.Files == 0:
		t.untested("whether a secret is in the source: there is no text to read")
	case len(t) == 0:
		t.holds("no secret in %d files of source", s.Files)
	}
	if tests > 0 {
		t.note("%d lines in tests, documentation and examples look like secrets", tests)
	}
	if s.Truncated != "" {
		t.untested("not all of the source was looked at: %s", s.Truncated)
	}
	if len(s.Variables) > 0 {
		t.note("asks for %s", firstOf(s.Variables, 8))
	}
	if t.notRun(m) {
		return t
	}
	switch {
	case m.ByArgument:
		t.note("the command hands the port on as an argument")
	case followsPort(m):
		t.holds("what the environment says changes it: it listened on PORT %d and %d", m.Port, m.SecondPort)
	case slices.Contains(m.Listens, m.Port):
		t.holds("what the environment says changes it: it listened on PORT %d", m.Port)
	default:
		t.breaks("PORT of the environment does not change where it listens")
	}
	defaults := 0
	for _, x := range m.Missing {
		switch {
		case x.Started:
			defaults++
		case x.Named:
			t.holds("without %s it ends at once and says so: %s", x.Name, x.Said)
		case x.Hung:
			t.breaks("without %s it neither becomes ready nor ends", x.Name)
		default:
			t.breaks("without %s it ends without naming it: %s", x.Name, x.Said)
		}
	}
	switch {
	case len(m.Missing) == 0:
		t.holds("needs no variable beyond PORT to start")
	case defaults > 0:
		t.note("%d of the variables given can be left out", defaults)
	}
	return t
}

// X. The environments are alike.
func judgeParity(s Source, m *Measured) []Evidence {
	var t tale
	for _, d := range differences(s.Env) {
		place := Place{File: d.files[0]}
		if len(d.engines) > 0 {
			t.breaks("the environments use different backing services: %s", firstOf(d.engines, 3))
			t.at(place)
		}
		if len(d.missing) > 0 {
			t.weakens("%s differ in their keys: %s", firstOf(d.files, 4), firstOf(d.missing, 5))
			t.at(place)
		}
		if len(d.engines)+len(d.missing) == 0 {
			t.holds("%s have the same keys", strings.Join(d.files, ", "))
			t.at(place)
		}
	}
	if len(t) == 0 {
		t.holds("no file is there for one environment alone")
	}
	if t.notRun(m) {
		return t
	}
	if followsPort(m) {
		t.holds("one program ran under two environments unchanged")
	} else {
		t.weakens("one program could not run under two environments at once")
	}
	return t
}

// XII. Administrative tasks run as processes of their own from the same
// release.
func judgeAdmin(s Source, m *Measured) []Evidence {
	var t tale
	if len(s.Admin) > 0 {
		t.holds("tasks are declared with the code: %s", firstOf(s.Admin, 6))
	}
	switch {
	case m == nil:
		t.untested("no command was given: only the source was read")
	case m.AdminRun == nil:
		t.untested("no task was run: name one with --admin")
	case m.AdminRun.Status == 0:
		t.holds("%s ran beside the service with its configuration and ended with status 0 (%d ms)", m.AdminRun.Command, m.AdminRun.Took.Milliseconds())
	default:
		t.breaks("%s ended with status %d: %s", m.AdminRun.Command, m.AdminRun.Status, m.AdminRun.Said)
	}
	return t
}
