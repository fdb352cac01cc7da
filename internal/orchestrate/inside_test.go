package orchestrate

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
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

func uncounted(int) {}

func TestLogbookKeepsTheTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "w", "log")
		l, err := openLogbook(path, uncounted)
		if err != nil {
			t.Fatal(err)
		}
		long := strings.Repeat("é", maxLine)
		l.read("err", strings.NewReader("one\ntwo\r\n\nlast \xff bytes\n"+long+"\nend"))
		if first := l.tail(maxLines); len(first) != 7 || first[2].Text != "" || first[3].Text != "last \uFFFD bytes" || len(first[4].Text) != maxLine || first[6].Text != "end" {
			t.Fatalf("%.200v", first)
		}
		for i := range maxLines {
			time.Sleep(10 * time.Millisecond)
			l.read("out", strings.NewReader(fmt.Sprint("line ", i, strings.Repeat(" pad", 50), "\n")))
		}
		tail := l.tail(maxLines + 1)
		if len(tail) != maxLines || tail[0].Text[:7] != "line 0 " || tail[maxLines-1].Seq-tail[0].Seq != maxLines-1 {
			t.Fatalf("%d lines, first %q", len(tail), tail[0].Text)
		}
		l.close()

		l, err = openLogbook(path, uncounted)
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
	})
}

func TestLogbookRotates(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "log")
		l, err := openLogbook(path, uncounted)
		if err != nil {
			t.Fatal(err)
		}
		text := strings.Repeat("x", 1<<16)
		for range 3 * maxFile / len(text) {
			time.Sleep(time.Second) // no flood
			l.read("out", strings.NewReader(text))
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
	})
}

// endless is a process that writes as fast as it is read.
type endless struct {
	text string
	left int // bytes
}

func (e *endless) Read(p []byte) (n int, err error) {
	for n+len(e.text) <= len(p) && e.left > 0 {
		c := copy(p[n:], e.text)
		n, e.left = n+c, e.left-c
	}
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// TestLogbookThinsAFlood: each line of a flood is kept, or told of within a
// second and counted; and it is not read faster than floodPause allows.
func TestLogbookThinsAFlood(t *testing.T) {
	for _, text := range []string{"y\n", strings.Repeat("x", 999) + "\n", strings.Repeat("z", 1000)} {
		synctest.Test(t, func(t *testing.T) {
			const bytes = 80 << 20
			counted := 0
			path := filepath.Join(t.TempDir(), "log")
			l, err := openLogbook(path, func(n int) { counted += n })
			if err != nil {
				t.Fatal(err)
			}
			begun := time.Now()
			l.read("out", &endless{text, bytes})
			took := time.Since(begun)
			time.Sleep(2 * time.Second) // the last word comes without a further line
			if took < 4*time.Second || took > 8*time.Second {
				t.Errorf("%d MiB were read in %v", bytes>>20, took)
			}
			told, gap := 0, time.Duration(0)
			at := begun
			for _, line := range l.tail(maxLines) {
				var n int
				if fmt.Sscanf(line.Text, "%d lines (", &n); line.Stream == "sys" {
					told += n
					gap = max(gap, line.Time.Sub(at))
					at = line.Time
				}
			}
			if all := bytes / len(text); strings.HasSuffix(text, "\n") && (counted < all/2 || counted > all) || counted < 1000 {
				t.Errorf("%d lines counted", counted)
			}
			if told == 0 || told > counted {
				t.Errorf("%d lines told of, %d counted", told, counted)
			}
			l.read("out", strings.NewReader("after\n"))
			if last := l.tail(1)[0]; last.Text != "after" {
				t.Error(last)
			}
			l.close()
			if info, err := os.Stat(path); err != nil || info.Size() > maxFile+1<<16 {
				t.Error(info.Size(), err)
			}
		})
	}
}
