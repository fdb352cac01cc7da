//go:build linux

package audit_test

import (
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/audit"
)

// A program on package service passes all twelve.
func TestGreeterPassesAll(t *testing.T) {
	dir := greeterRepository(t)
	words := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		time.Sleep(30 * time.Millisecond) // a backing service takes its time, so that requests are on their way
		_, _ = io.WriteString(w, "world")
	}))
	defer words.Close()
	r, err := audit.Run(t.Context(), audit.Config{
		Path: dir, Command: []string{"{out}"}, Env: []string{"WORDS_URL=" + words.URL},
		Build: []string{"go", "build", "-buildvcs=true", "-o", "{out}", "."}, Admin: []string{"{out}", "words"},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + tell(r))
	if strings.Contains(tell(r), "not permitted here") {
		t.Skip("SKIPPED: namespaces are not permitted here, so that not all can be tested")
	}
	if r.Passed != 12 {
		t.Errorf("%d of 12 pass", r.Passed)
	}
}

// greeterRepository is a git repository of its own with the example.
func greeterRepository(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	mod := read(t, filepath.Join(root, "go.mod"))
	mod = regexp.MustCompile(`(?m)^(?:ignore|replace) .*$`).ReplaceAllString(mod, "")
	mod = strings.Replace(mod, "module github.com/daytwo-dev/daytwo", "module greeter", 1)
	mod += fmt.Sprintf("\nrequire github.com/daytwo-dev/daytwo v0.0.0\n\nreplace github.com/daytwo-dev/daytwo => %s\n", root)
	for _, line := range regexp.MustCompile(`(?m)^replace .*$`).FindAllString(read(t, filepath.Join(root, "go.mod")), -1) {
		mod += line + "\n"
	}
	write(t, filepath.Join(dir, "go.mod"), mod)
	write(t, filepath.Join(dir, "go.sum"), read(t, filepath.Join(root, "go.sum")))
	write(t, filepath.Join(dir, "main.go"), read(t, "testdata/greeter/main.go"))
	for _, args := range [][]string{
		{"git", "init", "-q"}, {"git", "add", "."},
		{"git", "-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "-q", "-m", "greeter"},
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Dir = dir
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
	}
	return dir
}

// planted is a program with mistakes, filled in here so that no file of ours
// holds a secret.
func planted(t *testing.T, name, key string) (dir string, port int) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port = l.Addr().(*net.TCPAddr).Port
	dir = t.TempDir()
	files, err := filepath.Glob("testdata/" + name + "/*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		text := strings.NewReplacer("@PORT@", fmt.Sprint(port), "@KEY@", key).Replace(read(t, f))
		write(t, filepath.Join(dir, filepath.Base(f)), text)
	}
	return dir, port
}

// wanted is what an audit has to find.
type wanted struct {
	factor audit.Factor
	grade  audit.Grade
	says   string
}

func expect(t *testing.T, r audit.Report, all []wanted) {
	t.Helper()
	for _, w := range all {
		f := find(r, w.factor)
		if f.Grade != w.grade || !regexp.MustCompile(w.says).MatchString(fmt.Sprint(f.Evidence)) {
			t.Errorf("%s: %s, want %s with %q", w.factor, f.Grade, w.grade, w.says)
		}
	}
	if t.Failed() {
		t.Log("\n" + tell(r))
	}
}

// The mistakes planted in a Python program are found.
func TestPython(t *testing.T) {
	path, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Skip("SKIPPED: there is no python3")
	}
	dir, port := planted(t, "python", "AKIA"+strings.ToUpper(strings.NewReplacer("0", "A", "1", "B", "8", "C", "9", "D").Replace(rand.Text()[:16])))
	r, err := audit.Run(t.Context(), audit.Config{Path: dir, Command: []string{strings.TrimSpace(string(path)), "server.py"}, Request: "/stock", Grace: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, r, []wanted{
		{audit.Codebase, audit.Fail, "no git repository"},
		{audit.Dependencies, audit.Partial, "no file declares"},
		{audit.Configuration, audit.Fail, `AWS access key in the source \(server\.py:9\)`},
		{audit.Configuration, audit.Fail, "PORT of the environment does not change where it listens"},
		{audit.Processes, audit.Fail, `its folder, .*: orders\.json`},
		{audit.BuildReleaseRun, audit.Fail, `read-only root: .*stock\.log|namespaces are not permitted`},
		{audit.PortBinding, audit.Fail, fmt.Sprintf("listens on %d: the port is fixed", port)},
		{audit.Concurrency, audit.Fail, "second replica"},
		{audit.Disposability, audit.Fail, `lost [1-8] of [1-8] requests on their way`},
		{audit.Logs, audit.Fail, `log files: stock\.log`},
	})
}

// The mistakes planted in a Node program are found.
func TestNode(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("SKIPPED: there is no node")
	}
	dir, _ := planted(t, "node", "ghp_"+rand.Text()+rand.Text())
	r, err := audit.Run(t.Context(), audit.Config{
		Path: dir, Command: []string{node, "server.js"}, Env: []string{"BASKET_KEY=abc"}, Grace: 5 * time.Second,
		Admin: []string{node, "-e", "process.exit(3)"},
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, r, []wanted{
		{audit.Dependencies, audit.Fail, `without a lock file.*package\.json`},
		{audit.Configuration, audit.Fail, `GitHub token in the source \(server\.js:8\)`},
		{audit.Configuration, audit.Fail, "without BASKET_KEY it ends without naming it: TypeError"},
		{audit.PortBinding, audit.Pass, "given PORT"},
		{audit.BackingServices, audit.NotTested, "no variable"},
		{audit.Disposability, audit.Fail, `lost [1-8] of [1-8] requests on their way`},
		{audit.Logs, audit.Fail, `log files: basket\.log`},
		{audit.AdminProcesses, audit.Fail, "status 3"},
	})
}

// The mistakes planted in a Java program are found, and what its runtime does by
// itself is none.
func TestJava(t *testing.T) {
	if _, err := exec.LookPath("javac"); err != nil {
		t.Skip("SKIPPED: there is no javac, so that java runs no source")
	}
	java, err := exec.LookPath("java")
	if err != nil {
		t.Skip("SKIPPED: there is no java")
	}
	dir, _ := planted(t, "java", "ghp_"+rand.Text()+rand.Text())
	r, err := audit.Run(t.Context(), audit.Config{
		Path: dir, Command: []string{java, "Shop.java"}, Env: []string{"SHOP_REGION=north"}, Grace: 5 * time.Second,
	})
	if err != nil {
		t.Fatal(err)
	}
	expect(t, r, []wanted{
		{audit.Dependencies, audit.Partial, `not pinned: ledger \[1\.0,2\.0\).*pom\.xml`},
		{audit.Configuration, audit.Fail, `GitHub token in the source \(Shop\.java:11\)`},
		{audit.Configuration, audit.Fail, "without SHOP_REGION it ends without naming it: .*NullPointerException"},
		{audit.BuildReleaseRun, audit.Fail, `read-only root: .*shop\.log|namespaces are not permitted`},
		{audit.Processes, audit.Fail, `its folder, .*: sold\.txt`},
		{audit.PortBinding, audit.Pass, "given PORT"},
		{audit.Concurrency, audit.Pass, "two replicas.*as process 1 of a namespace it ends|namespaces are not permitted"},
		{audit.Disposability, audit.Fail, `lost [1-8] of [1-8] requests on their way`},
		{audit.Disposability, audit.Fail, `with status 143`},
		{audit.Logs, audit.Fail, `log files: shop\.log`},
	})
	for _, f := range r.Findings {
		if strings.Contains(fmt.Sprint(f.Evidence), "hsperfdata") {
			t.Errorf("%s: blames it for what the runtime writes: %v", f.Factor, f.Evidence)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
