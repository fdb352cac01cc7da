package grok

import (
	"bufio"
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"sync"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

//go:embed patterns
var stockFiles embed.FS

// Dictionary maps pattern names to their expressions, which may name others. Nothing in a Dictionary changes once it is used.
type Dictionary map[string]string

// Naming is which field names the stock patterns use.
type Naming string

// The two namings of the stock patterns.
const (
	Legacy Naming = "legacy" // clientip, verb, response
	ECS    Naming = "ecs-v1" // [source][address], [http][request][method]
)

var stock = map[Naming]func() Dictionary{
	Legacy: sync.OnceValue(func() Dictionary { return readStock(Legacy) }),
	ECS:    sync.OnceValue(func() Dictionary { return readStock(ECS) }),
}

// Stock returns the patterns that come with Logstash, to be cloned before anything is added.
func Stock(n Naming) Dictionary {
	if load, ok := stock[n]; ok {
		return load()
	}
	return Dictionary{}
}

func readStock(n Naming) Dictionary {
	d := Dictionary{}
	dir := path.Join("patterns", string(n))
	files, err := fs.ReadDir(stockFiles, dir)
	if err != nil {
		panic(fmt.Sprintf("grok: the binary lacks its patterns: %v", err)) // embedded, so only a broken build can
	}
	for _, f := range files {
		text, err := stockFiles.ReadFile(path.Join(dir, f.Name()))
		if err != nil {
			panic(fmt.Sprintf("grok: the binary lacks its patterns: %v", err))
		}
		if err := d.AddFile(f.Name(), string(text)); err != nil {
			panic(err)
		}
	}
	return d
}

// AddFile adds the definitions of a pattern file: a name, blanks, and the expression up to the end of the line; empty lines and
// lines that begin with # are comments. A name alone is an empty expression, as Logstash has it. name is what errors call the file.
func (d Dictionary) AddFile(name, text string) error {
	lines := bufio.NewScanner(strings.NewReader(text))
	lines.Buffer(nil, MaxExpression)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r")
		if strings.TrimSpace(line) == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, expression, ok := strings.Cut(line, " ")
		if tab := strings.IndexByte(line, '\t'); tab >= 0 && (!ok || tab < len(key)) {
			key, expression, ok = line[:tab], line[tab+1:], true
		}
		if !isPatternName(key) {
			return problem.New(problem.Invalid, "%s:%d: %q is not a pattern's name and its expression", name, n, clip(line)).
				WithMend("write NAME, a blank and the expression")
		}
		d[key] = strings.TrimLeft(expression, " \t")
	}
	if err := lines.Err(); err != nil {
		return problem.New(problem.TooLarge, "%s: a line is longer than %d KiB", name, MaxExpression>>10).WithMend("split the pattern")
	}
	return nil
}

// isPatternName accepts what a reference can name: letters, digits, underscore, and the few others between Z and a that grok's
// own syntax lets through.
func isPatternName(s string) bool {
	for i := range len(s) {
		if !isNameByte(s[i]) {
			return false
		}
	}
	return s != ""
}

func isNameByte(c byte) bool { return c >= 'A' && c <= 'z' || c >= '0' && c <= '9' }

func clip(s string) string {
	if len(s) > 60 {
		return s[:57] + "…"
	}
	return s
}
