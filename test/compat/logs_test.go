package compat

import (
	"context"
	"encoding/json"
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
)

const (
	cache  = "../../.cache/compat"
	token  = "admin-token-of-the-clients"
	within = 60 * time.Second
)

// server is daytwo with its doors for logs, as it is released.
type server struct{ web, elastic string }

func startServer(t *testing.T) *server {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "daytwo")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../../cmd/daytwo")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building daytwo: %v\n%s", err, out)
	}
	s := &server{web: freeAddress(t, "tcp"), elastic: freeAddress(t, "tcp")}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), bin, "serve", "--listen", s.web, "--elasticsearch-listener", s.elastic, "--data", t.TempDir())
	cmd.Env = append(os.Environ(), "DAYTWO_ADMIN_TOKEN="+token)
	start(t, cmd)
	await(t, "the server", func() error {
		_, err := fetch(t, "http://"+s.web+"/-/ready")
		if err == nil {
			_, err = fetch(t, "http://"+s.elastic+"/")
		}
		return err
	})
	return s
}

// start runs a process until the test ends; what it said is shown if it fails.
func start(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait() // it was told to end
		if t.Failed() {
			t.Logf("%s said:\n%s", filepath.Base(cmd.Path), said.String())
		}
	})
}

func freeAddress(t *testing.T, network string) string {
	t.Helper()
	if network == "udp" {
		c, err := net.ListenPacket("udp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		return c.LocalAddr().String()
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func await(t *testing.T, what string, try func() error) {
	t.Helper()
	for deadline := time.Now().Add(within); ; time.Sleep(50 * time.Millisecond) { // polls real processes
		err := try()
		if err == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %v", what, err)
		}
	}
}

func fetch(t *testing.T, url string) ([]byte, error) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth("daytwo", token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode >= 400 {
		err = fmt.Errorf("%s: %s", res.Status, data)
	}
	return data, err
}

// found awaits that an index holds three documents, and returns one.
func (s *server) found(t *testing.T, index string) (source map[string]any) {
	t.Helper()
	await(t, index, func() error {
		data, err := fetch(t, "http://"+s.elastic+"/"+index+"/_search?size=1")
		if err != nil {
			return err
		}
		var answer struct {
			Hits struct {
				Total struct{ Value int }
				Hits  []struct {
					Source map[string]any `json:"_source"`
				}
			}
		}
		if err := json.Unmarshal(data, &answer); err != nil {
			return err
		}
		if answer.Hits.Total.Value != 3 {
			return fmt.Errorf("%d documents, want 3", answer.Hits.Total.Value)
		}
		source = answer.Hits.Hits[0].Source
		return nil
	})
	return source
}

// peer is a path in the cache, or the test is skipped.
func peer(t *testing.T, parts ...string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join(append([]string{cache}, parts...)...))
	if err == nil {
		_, err = os.Stat(path)
	}
	if err != nil {
		t.Skipf("SKIPPED: %s is not there; test/compat/setup fetches it", filepath.Join(parts...))
	}
	return path
}

func TestLogClients(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it builds and runs real clients")
	}
	if _, err := os.Stat(cache); err != nil {
		t.Skip("SKIPPED: no client is there; test/compat/setup fetches them")
	}
	s := startServer(t)
	t.Run("javascript", func(t *testing.T) { javascript(t, s) })
	t.Run("python", func(t *testing.T) { python(t, s) })
	t.Run("rsyslog", func(t *testing.T) { rsyslog(t, s) })
	t.Run("syslog-ng", func(t *testing.T) { syslogNG(t, s) })
}

func javascript(t *testing.T, s *server) {
	peer(t, "node_modules", "@elastic", "elasticsearch")
	script, err := os.ReadFile("testdata/elasticsearch.mjs")
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(peer(t), "elasticsearch.mjs")
	if err := os.WriteFile(at, script, 0o600); err != nil {
		t.Fatal(err)
	}
	expect(t, exec.CommandContext(t.Context(), "node", at, "http://"+s.elastic, token),
		"bulk 500 0", "index created kim false", "search 100 199", "scroll 501", "pit 501 count 501", "msearch 501,10", "template true", "refused 400", "query_string 3")
}

func python(t *testing.T, s *server) {
	modules := peer(t, "root/usr/lib/python3/dist-packages/elasticsearch")
	if err := exec.CommandContext(t.Context(), "python3", "-c", "import urllib3, certifi").Run(); err != nil {
		t.Skip("SKIPPED: python3 with urllib3 and certifi is not there")
	}
	cmd := exec.CommandContext(t.Context(), "python3", "testdata/python_client.py", "http://"+s.web+"/elasticsearch", token)
	cmd.Env = append(os.Environ(), "PYTHONPATH="+filepath.Dir(modules))
	expect(t, cmd, "bulk (300, [])", "index created", "get kimchy", "search 300 5 149.5", "scan 301", "exists True False 301", "create again ConflictError")
}

func expect(t *testing.T, cmd *exec.Cmd, wants ...string) {
	t.Helper()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, want := range wants {
		if !strings.Contains(string(out), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
}

// libraries is where the unpacked packages have their shared objects.
func libraries(t *testing.T) string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(peer(t, "root"), "usr/lib/*-linux-gnu"))
	if err != nil || len(found) == 0 {
		t.Skip("SKIPPED: the packages have no libraries for this machine")
	}
	return found[0]
}

func rsyslog(t *testing.T, s *server) {
	bin, lib, dir := peer(t, "root/usr/sbin/rsyslogd"), libraries(t), t.TempDir()
	input := freeAddress(t, "udp")
	conf := filepath.Join(dir, "rsyslog.conf")
	writeFile(t, conf, strings.NewReplacer("LIB", lib, "INPUT", port(t, input), "OUTPUT", port(t, s.elastic)).Replace(`
module(load="LIB/rsyslog/imudp.so")
module(load="LIB/rsyslog/omelasticsearch.so")
input(type="imudp" address="127.0.0.1" port="INPUT")
template(name="json" type="list" option.jsonf="on") {
  property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="severity" name="syslogseverity-text" format="jsonf")
  property(outname="programname" name="programname" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}
*.* action(type="omelasticsearch" server="127.0.0.1" serverport="OUTPUT" template="json" searchIndex="rsyslog-logs" bulkmode="on")
`))
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), bin, "-n", "-f", conf, "-i", filepath.Join(dir, "pid"), "-M", filepath.Join(lib, "rsyslog"))
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+lib)
	start(t, cmd)
	say(t, input)
	if source := s.found(t, "rsyslog-logs"); source["level"] != "error" || source["host"] != "host1" || !strings.Contains(fmt.Sprint(source["message"]), "it says") {
		t.Errorf("found %v", source)
	}
}

func syslogNG(t *testing.T, s *server) {
	bin, lib, dir := peer(t, "root/usr/sbin/syslog-ng"), libraries(t), t.TempDir()
	modules, err := filepath.Glob(filepath.Join(peer(t, "root"), "usr/lib/syslog-ng/*/libhttp.so"))
	if err != nil || len(modules) == 0 {
		t.Skip("SKIPPED: syslog-ng's http() is not there")
	}
	module := filepath.Dir(modules[0])
	input := freeAddress(t, "udp")
	conf := filepath.Join(dir, "syslog-ng.conf")
	writeFile(t, conf, strings.NewReplacer("VERSION", filepath.Base(module), "INPUT", port(t, input), "OUTPUT", s.elastic).Replace(`@version: VERSION
source s { udp(ip("127.0.0.1") port(INPUT)); };
destination d { http(url("http://OUTPUT/_bulk") method("POST") batch-lines(100) batch-timeout(200) headers("Content-Type: application/x-ndjson") body-suffix("\n")
  body("{\"index\":{\"_index\":\"syslog-ng\"}}\n$(format-json --scope rfc5424 --pair @timestamp=$ISODATE)")); };
log { source(s); destination(d); };
`))
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), bin, "-F", "-f", conf, "--module-path="+module,
		"-R", filepath.Join(dir, "persist"), "-c", filepath.Join(dir, "ctl"), "-p", filepath.Join(dir, "pid"))
	cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join([]string{lib, filepath.Join(peer(t, "root"), "lib", filepath.Base(lib)), filepath.Dir(module), module}, ":"))
	start(t, cmd)
	say(t, input)
	if source := s.found(t, "syslog-ng"); source["level"] != "error" || source["PROGRAM"] != "shop" || !strings.Contains(fmt.Sprint(source["MESSAGE"]), "it says") {
		t.Errorf("found %v", source)
	}
}

func port(t *testing.T, address string) string {
	t.Helper()
	_, p, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// say sends three messages as soon as somebody listens there.
func say(t *testing.T, address string) {
	t.Helper()
	await(t, "a listener at "+address, func() error {
		c, err := net.ListenPacket("udp", address)
		if err == nil {
			c.Close()
			return fmt.Errorf("nobody listens at %s yet", address)
		}
		return nil
	})
	c, err := net.Dial("udp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range 3 {
		fmt.Fprintf(c, "<11>%s host1 shop: it says %d", time.Now().Format(time.Stamp), i)
	}
}
