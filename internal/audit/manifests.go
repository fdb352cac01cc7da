package audit

import (
	"bytes"
	"path"
	"regexp"
	"slices"
	"strings"
)

// Manifest is a file that declares dependencies.
type Manifest struct {
	File  string
	Lock  string   // the file that pins what it declares; may be itself
	None  bool     // it declares no dependency
	Loose []string // dependencies that no file pins
}

// locks names, for a manifest, the files that pin it.
var locks = map[string][]string{
	"go.mod":           {"go.sum"},
	"package.json":     {"package-lock.json", "npm-shrinkwrap.json", "yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"},
	"pyproject.toml":   {"uv.lock", "poetry.lock", "pdm.lock", "pylock.toml", "requirements.txt"},
	"Pipfile":          {"Pipfile.lock"},
	"Cargo.toml":       {"Cargo.lock"},
	"Gemfile":          {"Gemfile.lock"},
	"composer.json":    {"composer.lock"},
	"pom.xml":          {"pom.xml"}, // versions in it are exact, unless they are ranges
	"build.gradle":     {"gradle.lockfile", "build.gradle"},
	"build.gradle.kts": {"gradle.lockfile", "build.gradle.kts"},
	"requirements.txt": {"requirements.txt"},
}

// manifests finds the manifests of a program: those in its folder and the one
// or two below that are not in test data.
func manifests(names []string, read func(string) []byte) []Manifest {
	var found []Manifest
	for _, name := range names {
		candidates, ok := locks[path.Base(name)]
		if !ok || strings.Count(name, "/") > 2 || isTestFile(name) {
			continue
		}
		m := Manifest{File: name}
		text := read(name)
		switch path.Base(name) {
		case "requirements.txt":
			m.Loose, m.None = looseRequirements(text)
			if len(m.Loose) == 0 {
				m.Lock = name
			}
		case "go.mod":
			m.None = !regexp.MustCompile(`(?m)^\s*require\b`).Match(text)
		case "package.json":
			m.None = !bytes.Contains(text, []byte(`ependencies"`))
		case "pyproject.toml":
			m.None = !bytes.Contains(text, []byte("dependencies"))
		case "pom.xml":
			m.None = !bytes.Contains(text, []byte("<dependency>"))
			m.Loose = looseVersions(mavenVersion, text)
		case "build.gradle", "build.gradle.kts":
			if m.None = !bytes.Contains(text, []byte("dependencies")); !slices.Contains(names, path.Join(path.Dir(name), "gradle.lockfile")) {
				m.Loose = looseVersions(gradleVersion, text)
			}
		}
		// A lock file may stand in a folder above: a workspace has one.
		for dir := path.Dir(name); m.Lock == "" && path.Base(name) != "requirements.txt"; dir = path.Dir(dir) {
			for _, lock := range candidates {
				if slices.Contains(names, path.Join(dir, lock)) {
					m.Lock = path.Join(dir, lock)
					break
				}
			}
			if dir == "." {
				break
			}
		}
		found = append(found, m)
	}
	return found
}

// Versions that a later build may resolve to something else: ranges, the newest,
// snapshots. The version of a project itself is no dependency.
var (
	mavenVersion  = regexp.MustCompile(`(?s)<dependency>.{0,500}?<artifactId>([^<]+)</artifactId>\s*<version>\s*([\[(][^<]*|LATEST|RELEASE|[^<]*-SNAPSHOT)\s*</version>`)
	gradleVersion = regexp.MustCompile(`["']([\w.-]+:[\w.-]+):([\w.-]*\+|latest\.\w+|[\[\]()][^"']*|[^"':]*-SNAPSHOT)["']`)
)

// looseVersions lists the dependencies of which a pattern finds the name and a
// version that is not exact.
func looseVersions(pattern *regexp.Regexp, text []byte) []string {
	var loose []string
	for _, m := range pattern.FindAllSubmatch(text, 500) {
		loose = append(loose, string(m[1])+" "+string(m[2]))
	}
	return loose
}

// looseRequirements lists the lines of a requirements.txt that pin no version.
func looseRequirements(text []byte) (loose []string, none bool) {
	none = true
	for line := range bytes.Lines(text) {
		l, _, _ := strings.Cut(string(line), "#")
		if l = strings.TrimSpace(l); l == "" || strings.HasPrefix(l, "-") {
			continue
		}
		none = false
		if !strings.Contains(l, "==") && !strings.Contains(l, "@") {
			loose = append(loose, l)
		}
	}
	return loose, none
}
