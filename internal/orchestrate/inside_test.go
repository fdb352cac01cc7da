package orchestrate

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// The cases are those of Kubernetes (third_party/forked/golang/expansion).
func TestExpand(t *testing.T) {
	known := map[string]string{"VAR_A": "A", "VAR_B": "B", "VAR_REF": "$(VAR_A)", "VAR_EMPTY": ""}
	for in, want := range map[string]string{
		"$(VAR_A)": "A", "___$(VAR_B)___": "___B___", "$(VAR_A)-1": "A-1", "$(VAR_REF)": "$(VAR_A)", "%%$(VAR_REF)--$(VAR_REF)%%": "%%$(VAR_A)--$(VAR_A)%%",
		"f000-$VAR_A": "f000-$VAR_A", "$$(VAR_A)": "$(VAR_A)", "$$$(VAR_A)": "$A", "$$$$(VAR_A)": "$$(VAR_A)", "foo$(VAR_EMPTY)bar": "foobar",
		"$(VAR_A": "$(VAR_A", "$VAR_A)": "$VAR_A)", "$(MISSING)": "$(MISSING)", "$": "$", "a$": "a$", "$(VAR_A)$(VAR_B)": "AB", "$()": "$()", "$(": "$(",
	} {
		if got := expand(in, func(n string) (string, bool) { v, ok := known[n]; return v, ok }); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestEnvironment(t *testing.T) {
	t.Setenv("PATH", "/bin")
	t.Setenv("HOME", "/home/x")
	t.Setenv("TZ", "")
	t.Setenv("DAYTWO_SECRET_KEY", "secret")
	m := Manifest{
		Command: []string{"$(HOME)/run"}, Args: []string{"$(PEER)", "$(LATER)"},
		Env: []EnvVar{{"PEER", "$(A_B_SERVICE_HOST):$(A_B_SERVICE_PORT)"}, {"FIRST", "$(LATER)"}, {"LATER", "$(PORT)"}},
	}
	env, argv := m.environment(20001, map[string]int{"a-b": 20002})
	want := []string{"PATH=/bin", "HOME=/home/x", "A_B_SERVICE_HOST=127.0.0.1", "A_B_SERVICE_PORT=20002", "PORT=20001",
		"PEER=127.0.0.1:20002", "FIRST=$(LATER)", "LATER=20001"}
	if !slices.Equal(env, want) || !slices.Equal(argv, []string{"/home/x/run", "127.0.0.1:20002", "20001"}) {
		t.Errorf("%q\n%q", env, argv)
	}
	if refs := m.references(); !slices.Equal(refs, []string{"a-b"}) {
		t.Error(refs)
	}
}

func TestJudge(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		seen   observed
		status Status
		reason string
	}{
		{observed{phase: idle}, Stopped, ""},
		{observed{phase: starting, fault: "it does not listen on port 1"}, Starting, "NotReady: it does not listen on port 1"},
		{observed{phase: starting, exits: 2, fault: "exit status 1"}, Starting, "Restarted: 2 times; exit status 1"},
		{observed{phase: up, ready: true}, Running, ""},
		{observed{phase: up, fault: "/ answers 503"}, Running, "NotReady: / answers 503"},
		{observed{phase: backoff, pid: 7, fault: "exit status 1", next: now.Add(4 * time.Second)}, Crashing, "CrashLoopBackOff: exit status 1; next start in 4s"},
		{observed{phase: backoff, fault: "port 1: taken", next: now.Add(-time.Second)}, Crashing, "CannotStart: port 1: taken; next try in 0s"},
		{observed{phase: stopping, pid: 7}, Stopped, "Stopping: waiting for process 7 to end"},
	} {
		if status, reason := judge(c.seen, now); status != c.status || reason != c.reason {
			t.Errorf("%+v: %s, %s", c.seen, status, reason)
		}
	}
}

func TestBackoff(t *testing.T) {
	b := Backoff{First: time.Second, Most: 10 * time.Second}
	for exits, want := range map[int]time.Duration{1: 1, 2: 2, 3: 4, 4: 8, 5: 10, 1000: 10} {
		if got := b.after(exits); got != want*time.Second {
			t.Errorf("after %d exits %v", exits, got)
		}
	}
}

func TestLogbookKeepsTheTail(t *testing.T) {
	path := filepath.Join(t.TempDir(), "w", "log")
	l, err := openLogbook(path)
	if err != nil {
		t.Fatal(err)
	}
	clock := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	l.now = func() time.Time { clock = clock.Add(10 * time.Millisecond); return clock }
	long := strings.Repeat("é", maxLine)
	l.read("err", strings.NewReader("one\ntwo\r\n\nlast \xff bytes\n"+long))
	for i := range maxLines {
		l.write("out", fmt.Sprint("line ", i, strings.Repeat(" pad", 50)))
	}
	tail := l.tail(maxLines + 1)
	if len(tail) != maxLines || tail[0].Text[:7] != "line 0 " || tail[maxLines-1].Seq-tail[0].Seq != maxLines-1 {
		t.Fatalf("%d lines, first %q", len(tail), tail[0].Text)
	}
	l.close()

	l, err = openLogbook(path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.close()
	again := l.tail(3)
	for i, line := range again {
		if want := tail[maxLines-3+i]; line.Text != want.Text || line.Stream != "out" || !line.Time.Equal(want.Time) {
			t.Errorf("read back %+v, want %+v", line, want)
		}
	}
}

func TestLogbookRotates(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	l, err := openLogbook(path)
	if err != nil {
		t.Fatal(err)
	}
	clock := time.Now()
	l.now = func() time.Time { clock = clock.Add(time.Second); return clock } // no flood
	text := strings.Repeat("x", 1<<16)
	for range 3 * maxFile / len(text) {
		l.write("out", text)
	}
	l.close()
	var total int64
	for _, name := range []string{path, path + ".1"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		total += info.Size()
	}
	if total > 2*maxFile+2<<16 {
		t.Errorf("%d bytes on disk", total)
	}
}

func TestLogbookThinsAFlood(t *testing.T) {
	l := &logbook{tokens: floodBurst, filled: time.Now(), now: time.Now}
	r, w := io.Pipe()
	go func() {
		for range 20_000 {
			fmt.Fprintln(w, strings.Repeat("x", 1000))
		}
		w.Close()
	}()
	l.read("out", r)
	dropped := l.dropped
	for _, line := range l.lines {
		var n int
		if fmt.Sscanf(line.Text, "%d lines were dropped", &n); line.Stream == "sys" {
			dropped += n
		}
	}
	if dropped < 10_000 {
		t.Errorf("%d lines dropped", dropped)
	}
	l.filled = l.filled.Add(-10 * time.Second)
	l.write("out", "after")
	n := len(l.lines)
	if l.lines[n-1].Text != "after" || l.lines[n-2].Stream != "sys" || !strings.Contains(l.lines[n-2].Text, "lines were dropped") {
		t.Error(l.lines[n-2:])
	}
}
