//go:build linux

package audit_test

import (
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/audit"
)

// TestMain makes the test binary what an audit starts: the helper in
// namespaces, and programs that behave badly.
func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[1] == audit.InsideVerb {
		os.Exit(audit.Inside(os.Args[2:]))
	}
	if len(os.Args) > 3 && os.Args[1] == "program" {
		behave(os.Args[2], os.Args[3])
		return
	}
	os.Exit(m.Run())
}

// behave is a program that does one thing wrong. The token is in its arguments
// and those of what it starts, to find survivors by.
func behave(how, token string) {
	switch how {
	case "silent": // never listens
		fmt.Println("I think")
		time.Sleep(time.Hour) // the program that is audited; the audit ends it
	case "floods":
		for line := strings.Repeat("all is well ", 1000); ; {
			fmt.Println(line)
		}
	case "comet": // for ever forks and ends, with a mark of its own, in a session of its own
		tail(token, os.Getenv("ELSEWHERE"))
		listen()
	case "tail":
		tail(token, os.Args[4])
	case "daemonizes": // is gone when its service begins
		child := exec.Command(os.Args[0], "program", "serves", token, strconv.Itoa(os.Getpid()))
		child.Env = []string{"PORT=" + os.Getenv("PORT"), "DAYTWO_AUDIT_MARK=somebody-else"}
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := child.Start(); err != nil {
			panic(err)
		}
	case "serves":
		signal.Ignore(syscall.SIGTERM)
		for parent, err := strconv.Atoi(os.Args[4]); err == nil && os.Getppid() == parent; {
			time.Sleep(time.Millisecond) // nobody tells when a parent ends
		}
		listen()
	case "babbles": // is ready, and floods
		go func() {
			for line := strings.Repeat("all is well ", 1000); ; {
				fmt.Println(line)
			}
		}()
		listen()
	case "forks": // children that leave its group, its session and its environment
		for range 3 {
			child := exec.Command(os.Args[0], "program", "orphans", token)
			child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
			if err := child.Start(); err != nil {
				panic(err)
			}
		}
		listen()
	case "orphans":
		child := exec.Command(os.Args[0], "program", "silent", token)
		child.Env, child.SysProcAttr = []string{"NOTHING=1"}, &syscall.SysProcAttr{Setsid: true}
		if err := child.Start(); err != nil {
			panic(err)
		}
	case "ignores": // SIGTERM
		signal.Ignore(syscall.SIGTERM)
		listen()
	case "writes": // outside its folder
		if err := os.WriteFile(filepath.Join(os.Getenv("ELSEWHERE"), "state.db"), []byte("state"), 0o600); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		listen()
	case "chats": // writes a line for each request, so that a reader who stops stops it
		http.HandleFunc("/", func(http.ResponseWriter, *http.Request) { fmt.Println(strings.Repeat("a request came in ", 10)) })
		listen()
	}
}

// tail starts the next of a row of processes of which each ends at once. The row
// ends with the test's folder, should the audit not end it.
func tail(token, dir string) {
	if _, err := os.Stat(dir); err != nil {
		return
	}
	next := exec.Command(os.Args[0], "program", "tail", token, dir)
	next.Env, next.SysProcAttr = []string{"DAYTWO_AUDIT_MARK=mine"}, &syscall.SysProcAttr{Setsid: true}
	if err := next.Start(); err != nil {
		panic(err)
	}
}

func listen() {
	if err := http.ListenAndServe("127.0.0.1:"+os.Getenv("PORT"), nil); err != nil { //nolint:gosec // a test
		fmt.Println("error:", err)
		os.Exit(1)
	}
}

// survivors are the processes with the token in their arguments.
func survivors(t *testing.T, token string) []string {
	t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, f := range files {
		if args, err := os.ReadFile(f); err == nil && strings.Contains(string(args), "\x00"+token) {
			found = append(found, f)
		}
	}
	return found
}

// Programs that misbehave end with that as the finding, and leave nothing.
func TestBadPrograms(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		how    string
		factor audit.Factor
		grade  audit.Grade
		says   string
	}{
		{"silent", audit.PortBinding, audit.Fail, "it listened on no port within 2 s; last line: I think"},
		{"floods", audit.Logs, audit.Fail, "it wrote more than 64 MiB"},
		{"forks", audit.Processes, audit.Partial, "processes behind"},
		{"comet", audit.PortBinding, audit.Pass, "it answers there"},
		{"daemonizes", audit.PortBinding, audit.Fail, "it ended with status 0"},
		{"babbles", audit.Logs, audit.Fail, "floods its output: it wrote more than 64 MiB"},
		{"ignores", audit.Disposability, audit.Fail, "did not end within 1 s of SIGTERM and was killed"},
		{"writes", audit.Processes, audit.Fail, "writes files in elsewhere"},
		{"chats", audit.Logs, audit.Partial, "a reader of its output that stops reading stops the program"},
	} {
		t.Run(x.how, func(t *testing.T) {
			if x.how == "comet" && !audit.CanCage() {
				t.Skip("SKIPPED: what forks faster than it can be seen is ended by a control group, and none can be made here")
			}
			token := fmt.Sprintf("token-%d-%s", os.Getpid(), x.how)
			c := audit.Config{
				Path: t.TempDir(), Command: []string{self, "program", x.how, token}, Env: []string{"ELSEWHERE=" + t.TempDir()},
				ReadyTimeout: 2 * time.Second, Grace: time.Second,
			}
			if x.how == "floods" {
				c.ReadyTimeout = time.Minute
			}
			r, err := audit.Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			finding := find(r, x.factor)
			if x.how == "writes" && find(r, audit.BuildReleaseRun).Grade != audit.Fail && os.Geteuid() != 0 {
				t.Skip("SKIPPED: the kernel tells of writes elsewhere to root alone, and namespaces are not permitted")
			}
			if x.how == "writes" && os.Geteuid() != 0 { // seen by the read-only root alone
				finding, x.says = find(r, audit.BuildReleaseRun), "state.db"
			}
			if finding.Grade != x.grade || !strings.Contains(fmt.Sprint(finding.Evidence), x.says) {
				t.Errorf("%s: %s, want %s with %q\n%s", x.factor, finding.Grade, x.grade, x.says, tell(r))
			}
			if left := survivors(t, token); len(left) > 0 {
				t.Errorf("survived: %v", left)
			}
		})
	}
}

func find(r audit.Report, f audit.Factor) audit.Finding {
	for _, x := range r.Findings {
		if x.Factor == f {
			return x
		}
	}
	return audit.Finding{}
}

// tell is the report for the test's log.
func tell(r audit.Report) string {
	var b strings.Builder
	for _, f := range r.Findings {
		fmt.Fprintf(&b, "%2d %s: %s\n", f.Number, f.Factor, f.Grade)
		for _, e := range f.Evidence {
			fmt.Fprintf(&b, "     %s\n", e)
		}
	}
	return b.String()
}
