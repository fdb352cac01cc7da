package test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// readyWithin bounds waiting for a server or a condition; it is no measure of
// speed.
const readyWithin = 60 * time.Second

func TestScripts(t *testing.T) {
	bin := buildBinary(t)
	examples, err := filepath.Abs("../ui/src/examples")
	if err != nil {
		t.Fatal(err)
	}
	// Scripts that need a peer which is not built say that they are skipped.
	peers, err := filepath.Abs("../.cache")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 "scripts",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", filepath.Dir(bin)+string(os.PathListSeparator)+peers+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("DAYTWO_CORPUS", os.Getenv("DAYTWO_CORPUS"))
			env.Setenv("DAYTWO_DATA", filepath.Join(env.WorkDir, "data"))
			env.Setenv("DAYTWO_ADMIN_TOKEN", "admin-token-of-the-scripts")
			env.Setenv("DAYTWO_LISTEN", freeAddress(t))
			env.Setenv("DAYTWO_OTLP_LISTENER", "off") // the default is one address for all of them
			env.Setenv("SCREEN_EXAMPLES", examples)
			env.Setenv("DAYTWO_URL", "http://"+env.Getenv("DAYTWO_LISTEN"))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ready":  ready,
			"api":    api,
			"until":  until,
			"signal": signal,
		},
	})
}

// buildBinary builds daytwo as it is released: static, without cgo.
func buildBinary(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "daytwo")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../cmd/daytwo")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building daytwo: %v\n%s", err, out)
	}
	return bin
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// ready waits until the server of the script says that it is.
func ready(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: ready")
	}
	poll(ts, "the server is not ready", func() error {
		_, err := request(ts, http.MethodGet, "/-/ready", "")
		return err
	})
}

// api calls the server and prints the answer, indented, to stdout:
// api METHOD PATH [BODY].
func api(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: api METHOD PATH [BODY]")
	}
	body := ""
	if len(args) == 3 {
		body = args[2]
	}
	answer, err := request(ts, args[0], args[1], body)
	fmt.Fprintln(ts.Stdout(), answer)
	if (err != nil) != neg {
		ts.Fatalf("api %s: %v\n%s", strings.Join(args, " "), err, answer)
	}
}

// until repeats a GET until the answer contains a text: until PATH TEXT.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: [!] until PATH TEXT")
	}
	poll(ts, "waiting for "+strings.Join(args, " "), func() error {
		answer, err := request(ts, http.MethodGet, args[0], "")
		if err == nil && strings.Contains(answer, args[1]) == neg {
			err = fmt.Errorf("last answer: %s", answer)
		}
		return err
	})
}

// signal sends a signal to the command started last, as a supervisor does:
// signal TERM or signal HUP.
func signal(ts *testscript.TestScript, neg bool, args []string) {
	known := map[string]syscall.Signal{"TERM": syscall.SIGTERM, "HUP": syscall.SIGHUP}
	running := ts.BackgroundCmds()
	if neg || len(args) != 1 || known[args[0]] == 0 || len(running) == 0 {
		ts.Fatalf("usage: signal TERM|HUP, with a command in the background")
	}
	if err := running[len(running)-1].Process.Signal(known[args[0]]); err != nil {
		ts.Fatalf("signal: %v", err)
	}
}

func poll(ts *testscript.TestScript, what string, try func() error) {
	deadline := time.Now().Add(readyWithin)
	for {
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("%s: %v", what, err)
		}
		time.Sleep(50 * time.Millisecond) // between polls of a real process
	}
}

func request(ts *testscript.TestScript, method, path, body string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, ts.Getenv("DAYTWO_URL")+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+ts.Getenv("DAYTWO_ADMIN_TOKEN"))
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 400 {
		err = errors.New(res.Status)
	}
	return indent(data), err
}

// indent makes JSON easy to match line by line; other text stays as it is.
func indent(data []byte) string {
	var v any
	if json.Unmarshal(data, &v) != nil {
		return string(data)
	}
	pretty, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return string(data)
	}
	return string(pretty)
}
