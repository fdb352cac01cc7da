package logstash

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shelf keeps events for tests and can refuse them.
type shelf struct {
	mu     sync.Mutex
	events []event.Event
	refuse int // so many times
}

func (s *shelf) Append(_ context.Context, events []event.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse > 0 {
		s.refuse--
		return fmt.Errorf("not now")
	}
	s.events = append(s.events, events...)
	return nil
}

func (s *shelf) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.events)
}

// start runs pipelines and gives what stops them and waits for the end.
func start(t *testing.T, env Env, configs ...string) (p *Pipelines, stop func()) {
	t.Helper()
	var list []*Pipeline
	for i, c := range configs {
		built, findings := Build(fmt.Sprint("p", i), []Source{{"t.conf", c}}, DefaultSettings(2), env)
		if problem.Broken(findings) {
			t.Fatal(findings)
		}
		list = append(list, built)
	}
	p, err := New(Config{Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Env: env})
	if err != nil {
		t.Fatal(err)
	}
	p.Apply(list)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); _ = p.Run(ctx) }()
	stop = sync.OnceFunc(func() { cancel(); <-done })
	t.Cleanup(stop)
	return p, stop
}

func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(60 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) { // polls sockets and files of the system
		if time.Now().After(deadline) {
			t.Fatalf("%s did not come about", what)
		}
	}
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

const apacheSample = `83.149.9.216 - - [17/May/2015:10:05:03 +0000] "GET /x HTTP/1.1" 200 203023 "http://a/" "Mozilla/5.0 (X11; Linux x86_64) Firefox/32.0"`

// A file is followed across a stop, a rename and a cut, and no line is lost or doubled.
func TestFileInput(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "access.log")
	write := func(flag int, lines ...string) {
		f, err := os.OpenFile(log, flag|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		fmt.Fprint(f, strings.Join(lines, ""))
	}
	write(os.O_APPEND, strings.Repeat(apacheSample+"\n", 2500), "half a li")
	s := &shelf{refuse: 3}
	env := Env{Host: "here", Lookup: os.LookupEnv, Sink: s, State: filepath.Join(dir, "state")}
	config := `input { file { path => "` + log + `" start_position => "beginning" stat_interval => "10 ms" discover_interval => 1 } }
		filter { grok { match => { "message" => "%{COMBINEDAPACHELOG}" } } date { match => ["timestamp", "dd/MMM/yyyy:HH:mm:ss Z"] } }
		output { elasticsearch { index => "web-%{+yyyy.MM.dd}" } }`
	_, stop := start(t, env, config)
	await(t, "2500 lines", func() bool { return s.len() == 2500 })
	first := s.events[0]
	if got := first.Get("http.response.status_code"); !got.Equal(event.Int(200)) || first.Get("dataset").String() != "web-2015.05.17" ||
		first.Get("host.name").String() != "here" && first.Get("host.hostname").String() != "here" || first.Time != time.Date(2015, 5, 17, 10, 5, 3, 0, time.UTC).UnixNano() {
		t.Errorf("%+v", first)
	}
	stop()
	write(os.O_APPEND, "ne\n", apacheSample+"\n")
	_, stop = start(t, env, config)
	await(t, "two more", func() bool { return s.len() == 2502 })
	if got := s.events[2500].Get("message").String(); got != "half a line" && s.events[2501].Get("message").String() != "half a line" {
		t.Errorf("%q", got)
	}
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	write(os.O_APPEND, "new file\n")
	await(t, "the new file", func() bool { return s.len() == 2503 })
	write(os.O_TRUNC, "cut\n")
	await(t, "what was written after the cut", func() bool { return s.len() == 2504 })
	stop()
	if s.len() != 2504 {
		t.Errorf("%d events", s.len())
	}
}

// A file that was emptied and has grown over the old position again is read from its beginning, and one that was renamed to what the path
// does not match, while nobody looked, to its end.
func TestFileInputRotation(t *testing.T) {
	dir := t.TempDir()
	log := filepath.Join(dir, "access.log")
	write := func(offset int64, lines string) {
		f, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteAt([]byte(lines), offset); err != nil {
			t.Fatal(err)
		}
	}
	s := &shelf{}
	env := Env{Host: "here", Lookup: os.LookupEnv, Sink: s, State: filepath.Join(dir, "state")}
	config := `input { file { path => "` + log + `" start_position => "beginning" stat_interval => "10 ms" discover_interval => 1 } } output { elasticsearch { } }`
	count := func(line string) (n int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i := range s.events {
			if s.events[i].Get("message").String() == line {
				n++
			}
		}
		return n
	}
	write(0, strings.Repeat("old\n", 20))
	_, stop := start(t, env, config)
	await(t, "the first lines", func() bool { return count("old") == 20 })
	write(0, strings.Repeat("new\n", 100)) // as after copytruncate
	await(t, "every line after the cut", func() bool { return count("new") == 100 })
	stop()
	write(400, strings.Repeat("rest\n", 50))
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	write(0, "after\n")
	_, stop = start(t, env, config)
	await(t, "the rest of the old file", func() bool { return count("rest") == 50 && count("after") == 1 })
	stop()
	if s.len() != 171 {
		t.Errorf("%d events", s.len())
	}
	_, stop = start(t, env, config)
	write(6, "last\n")
	await(t, "one more line", func() bool { return count("last") == 1 })
	stop()
	if s.len() != 172 {
		t.Errorf("%d events: what was read to its end came again", s.len())
	}
}

// An HTTP sender is answered once its events are kept, other senders reach their pipelines, and a port that is taken is named.
func TestNetworkInputs(t *testing.T) {
	s := &shelf{}
	env := Env{Host: "here", Lookup: os.LookupEnv, Sink: s, State: t.TempDir()}
	web, lines, taken := freePort(t), freePort(t), freePort(t)
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", taken))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	p, stop := start(t, env,
		fmt.Sprintf(`input { http { host => "127.0.0.1" port => %d user => "u" password => "p" } tcp { host => "127.0.0.1" port => %d codec => json_lines type => "t" } }
			output { elasticsearch { } }`, web, lines),
		fmt.Sprintf(`input { tcp { host => "127.0.0.1" port => %d } syslog { host => "127.0.0.1" port => %d } } output { elasticsearch { index => "sys" } }`, taken, freePort(t)))
	state := func(pipeline, input int) InputStatus {
		list := p.Status()
		if len(list) != 2 {
			return InputStatus{}
		}
		return list[pipeline].Inputs[input]
	}
	await(t, "the inputs", func() bool {
		return state(0, 0).State == "running" && state(0, 1).State == "running" && state(1, 0).State == "failing" && state(1, 1).State == "running"
	})
	if got := state(1, 0).Error; !strings.Contains(got, "cannot listen on 127.0.0.1") {
		t.Error(got)
	}
	url := fmt.Sprintf("http://127.0.0.1:%d/in", web)
	post := func(user, body string) int {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.SetBasicAuth(user, "p")
		answer, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		return answer.StatusCode
	}
	if got := post("x", "{}"); got != http.StatusUnauthorized {
		t.Error(got)
	}
	if got := post("u", `[{"a":1},{"a":2}]`); got != http.StatusOK || s.len() != 2 {
		t.Errorf("%d, %d events when it was answered", got, s.len())
	}
	conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", lines))
	if err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(conn, "{\"b\":1}\n{\"b\":2}")
	conn.Close()
	await(t, "what came by TCP", func() bool { return s.len() == 4 })
	stop()
	http.DefaultClient.CloseIdleConnections()
	if got := s.events[3].Get("type").String(); got != "t" {
		t.Error(got)
	}
}

// A reload leaves what has not changed alone; what has changed drains.
func TestApply(t *testing.T) {
	s := &shelf{}
	env := Env{Host: "here", Lookup: os.LookupEnv, Sink: s, State: t.TempDir()}
	config := func(message string, n int) string {
		return fmt.Sprintf(`input { generator { message => "%s" count => %d } heartbeat { interval => 3600 message => "beat" } } output { elasticsearch { } }`, message, n)
	}
	p, stop := start(t, env, config("a", 5000), config("b", 10))
	await(t, "all events", func() bool { return s.len() == 5012 })
	build := func(id, c string) *Pipeline {
		built, findings := Build(id, []Source{{"t.conf", c}}, DefaultSettings(2), env)
		if built == nil {
			t.Fatal(findings)
		}
		return built
	}
	before := p.live["p0"]
	p.Apply([]*Pipeline{build("p0", config("a", 5000)), build("p1", config("c", 7))})
	await(t, "the changed pipeline", func() bool { return s.len() == 5020 })
	p.mu.Lock()
	same := p.live["p0"] == before
	p.mu.Unlock()
	if !same {
		t.Error("the pipeline that did not change was started anew")
	}
	stop()
	if len(p.Status()) != 0 {
		t.Error("something still runs")
	}
}

// A line on which a pattern comes to no end is tagged, in time, and the lines behind it go on.
func TestCatastrophicPattern(t *testing.T) {
	p := build(t, `filter { grok { match => { "message" => "^(a+)+(?<x>b)(?<!c)$" } timeout_millis => 20 } }`)
	got := filtered(t, p, false, eventOf(t, strings.Repeat("a", 50)), eventOf(t, "aab"))
	if !strings.Contains(got[0], `"_groktimeout"`) || !strings.Contains(got[1], `"x":"b"`) {
		t.Error(got)
	}
}

// Configurations that people have published are read, or refused for a reason that is named.
func TestPublicConfigurations(t *testing.T) {
	corpus := os.Getenv("DAYTWO_CORPUS")
	if corpus == "" {
		t.Skip("SKIPPED: DAYTWO_CORPUS names no directory")
	}
	read, refused := 0, map[string]int{}
	err := filepath.WalkDir(corpus, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || filepath.Ext(path) != ".conf" && filepath.Ext(path) != ".logstash" {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(content, []byte("=>")) {
			return err
		}
		lookup := func(string) (string, bool) { return "1", true }
		_, findings := Build("t", []Source{{path, string(content)}}, DefaultSettings(2), Env{Host: "here", Lookup: lookup, Dir: filepath.Dir(path)})
		if !problem.Broken(findings) {
			read++
			return nil
		}
		for _, f := range findings {
			if f.Severity == problem.SeverityError {
				refused[f.Message]++
				if f.Line < 1 || f.Mend == "" {
					t.Errorf("%s: no place or no mend", f)
				}
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	fmt.Printf("public configurations: %d read; refused for:\n", read)
	for _, why := range sortedKeys(refused) {
		fmt.Printf("  %4d  %s\n", refused[why], why)
	}
}

// A real web server's access log goes through a Logstash file into the store, every line of it.
func TestRealAccessLog(t *testing.T) {
	found, _ := filepath.Glob(filepath.Join(os.Getenv("DAYTWO_CORPUS"), "elastic", "examples", "Common Data Formats", "apache_logs", "apache_logs"))
	if os.Getenv("DAYTWO_CORPUS") == "" || len(found) == 0 {
		t.Skip("SKIPPED: DAYTWO_CORPUS names no directory with elastic/examples")
	}
	content, err := os.ReadFile(found[0])
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Count(content, []byte("\n"))
	s := &shelf{}
	env := Env{Host: "here", Lookup: os.LookupEnv, Sink: s, State: t.TempDir()}
	began := time.Now()
	_, stop := start(t, env, `input { file { path => "`+found[0]+`" mode => "read" file_completed_action => "log" exit_after_read => true } }
		filter { grok { match => { "message" => "%{COMBINEDAPACHELOG}" } } date { match => ["timestamp", "dd/MMM/yyyy:HH:mm:ss Z"] } useragent { source => "[user_agent][original]" } }
		output { elasticsearch { index => "apache" } }`)
	await(t, "every line", func() bool { return s.len() >= lines })
	took := time.Since(began)
	stop()
	failed := 0
	for i := range s.events {
		if !s.events[i].Get("tags").IsNull() {
			failed++
		}
	}
	fmt.Printf("real access log: %d lines in %s, %d of them not matched\n", s.len(), took.Round(time.Millisecond), failed)
	if failed > lines/100 || s.len() > lines+1 {
		t.Errorf("%d events of %d lines, %d not matched", s.len(), lines, failed)
	}
}
