// Package daytwo_test holds the checks on the repository as a whole: who may
// import whom, and that every package says what it is for.
package daytwo_test

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/daytwo-dev/daytwo"

// layers is the dependency rule: lowest first. A package imports only from
// lines above its own in this list; packages on one line are siblings and
// never import each other. A folder below a listed one (a language, a
// protocol) belongs to it and is imported by it alone.
const layers = `
	internal/problem
	internal/event internal/configfile internal/schedule internal/wire stability ui
	service
	internal/store internal/eventdb
	internal/auth
	internal/timeline internal/web
	internal/catalog internal/notify internal/run
	internal/metrics internal/alert internal/incident internal/orchestrate internal/postmortem internal/logs internal/host internal/statuspage internal/audit
	internal/incident/pagerduty
	internal/loop
	internal/app
	examples/shop
	internal/demo
	internal/cli
	cmd/daytwo
	test
`

// apart lists what lower packages an entry may import when its place in the
// layers would allow more than it should.
var apart = map[string][]string{
	"stability":     {},
	"ui":            {},
	"examples/shop": {"stability", "service"},
	"service":       {"stability"},
	"cmd/daytwo":    {"internal/cli"},
	"test":          {},
}

// testOnly may be imported by test files of any package, and by no other file.
var testOnly = []string{"internal/store/storetest"}

// goFile is one source file with what it imports from this module.
type goFile struct {
	dir     string // package folder, slash separated, relative to the root
	name    string
	pkg     string
	doc     bool // has a package comment
	imports []string
}

func (f goFile) isTest() bool { return strings.HasSuffix(f.name, "_test.go") }

func TestLayers(t *testing.T) {
	rank, siblings := parseLayers(t)
	for _, f := range goFiles(t) {
		if f.dir == "." || strings.HasPrefix(f.dir, "bench/") {
			continue // checks and benchmarks look at everything
		}
		owner := ownerOf(f.dir, rank)
		if owner == "" {
			t.Errorf("%s/%s: package is not in the layers of deps_test.go; add it where it belongs", f.dir, f.name)
			continue
		}
		for _, imp := range f.imports {
			if why := forbidden(f, owner, imp, rank, siblings); why != "" {
				t.Errorf("%s/%s imports %s: %s", f.dir, f.name, imp, why)
			}
		}
	}
}

// forbidden says why f may not import imp, or nothing.
func forbidden(f goFile, owner, imp string, rank map[string]int, siblings map[int][]string) string {
	if slices.Contains(testOnly, imp) {
		if f.isTest() || slices.Contains(testOnly, f.dir) {
			return ""
		}
		return "it is for tests only"
	}
	target := ownerOf(imp, rank)
	switch {
	case target == "":
		return "the imported package is not in the layers"
	case target == owner:
		return ""
	case imp != target && target != "examples/shop":
		return fmt.Sprintf("a package below %s belongs to it alone", target)
	case rank[target] == rank[owner]:
		return fmt.Sprintf("siblings (%s) never import each other", strings.Join(siblings[rank[owner]], ", "))
	case rank[target] > rank[owner]:
		return fmt.Sprintf("%s is a layer above %s", target, owner)
	}
	if allowed, ok := apart[owner]; ok && !slices.Contains(allowed, target) {
		return fmt.Sprintf("%s may import only %v", owner, allowed)
	}
	return ""
}

func parseLayers(t *testing.T) (rank map[string]int, siblings map[int][]string) {
	t.Helper()
	rank, siblings = map[string]int{}, map[int][]string{}
	for i, line := range strings.Split(strings.TrimSpace(layers), "\n") {
		for _, p := range strings.Fields(line) {
			if _, twice := rank[p]; twice {
				t.Fatalf("%s stands in two layers", p)
			}
			rank[p] = i
			siblings[i] = append(siblings[i], p)
		}
	}
	return rank, siblings
}

// ownerOf returns the listed package that dir is or lies below.
func ownerOf(dir string, rank map[string]int) string {
	for ; dir != "." && dir != ""; dir = path.Dir(dir) {
		if _, ok := rank[dir]; ok {
			return dir
		}
	}
	return ""
}

func TestPackageComments(t *testing.T) {
	documented := map[string]bool{}
	for _, f := range goFiles(t) {
		if f.isTest() && f.dir != "." {
			continue
		}
		documented[f.dir] = documented[f.dir] || f.doc
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("%s: no package comment; say in one paragraph what the package is for", dir)
		}
	}
}

func goFiles(t *testing.T) []goFile {
	t.Helper()
	var files []goFile
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			skip := p != "." && (strings.HasPrefix(d.Name(), ".") || slices.Contains([]string{"node_modules", "testdata", "tools", "bin"}, d.Name()))
			if skip {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(p, ".go") {
			return nil
		}
		f, err := parseFile(p)
		files = append(files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func parseFile(p string) (goFile, error) {
	ast, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return goFile{}, err
	}
	f := goFile{dir: filepath.ToSlash(filepath.Dir(p)), name: filepath.Base(p), pkg: ast.Name.Name, doc: ast.Doc != nil}
	for _, imp := range ast.Imports {
		name, err := strconv.Unquote(imp.Path.Value)
		if err != nil {
			return goFile{}, err
		}
		if rest, ours := strings.CutPrefix(name, module+"/"); ours {
			f.imports = append(f.imports, rest)
		}
	}
	return f, nil
}
