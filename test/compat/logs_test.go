package compat

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
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
type server struct {
	web, elastic, tcp, tls string
	authority              string // file that the certificate of tls is signed by
}

func startServer(t *testing.T) *server {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "daytwo")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "../../cmd/daytwo")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building daytwo: %v\n%s", err, out)
	}
	s := &server{web: freeAddress(t, "tcp"), elastic: freeAddress(t, "tcp"), tcp: freeAddress(t, "tcp"), tls: freeAddress(t, "tcp")}
	var key string
	s.authority, key = certificate(t)
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), bin, "serve", "--listen", s.web, "--elasticsearch-listener", s.elastic, "--otlp-listener", "off",
		"--syslog-tcp", s.tcp, "--syslog-tls", s.tls, "--syslog-cert", s.authority, "--syslog-key", key, "--data", t.TempDir())
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

// certificate writes the certificate that net/http/httptest has for this machine, which signs itself, and its key.
func certificate(t *testing.T) (cert, key string) {
	t.Helper()
	lent := httptest.NewTLSServer(nil)
	defer lent.Close()
	secret, err := x509.MarshalPKCS8PrivateKey(lent.TLS.Certificates[0].PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	writeFile(t, cert, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: lent.Certificate().Raw})))
	writeFile(t, key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})))
	return cert, key
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

// found awaits that three documents of an index match, and returns one.
func (s *server) found(t *testing.T, index, query string) (source map[string]any) {
	t.Helper()
	await(t, index, func() error {
		data, err := fetch(t, "http://"+s.elastic+"/"+index+"/_search?size=1&q="+url.QueryEscape(query))
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
		"bulk 500 0", "index created kim false", "search 100 199", "scroll 501", "pit 501 count 501", "msearch 501,10", "template true", "refused 400", "query_string 3",
		"count match_and 1\n", "count match_phrase 1\n", "count term 10\n", "count terms 3\n", "count range 10\n", "count range_date 501\n", "count exists 501\n",
		"count prefix 10\n", "count wildcard 10\n", "count regexp 10\n", "count bool 98\n", "count should 2\n", "count query_string 13\n", "count simple_query_string 2\n",
		"count ids 1\n", "count multi_match 1\n", "count nothing 0\n",
		"agg terms error=10,450,0 info=490,499,1\n", "agg histogram 0=100 100=100 200=100 300=100 400=100 within info=14700 error=250\n",
		"agg date_histogram 1 500 249.5 string\n", "agg range 10,10,480\n", "agg filters 10,250,240\n", "agg cardinality near percentiles near near\n",
		"agg stats 500,0,499,249.5,124750 deviation near count 500 min 0 missing 0 filter 1\n",
		"refuses script 400 true\n", "refuses significant_terms 400 true\n", "refuses geo 400 true\n")
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

// rsyslog sends what is said to it by an action: to Elasticsearch's door, and to syslog's.
func rsyslog(t *testing.T, s *server) {
	for name, c := range map[string]struct {
		module, action, index, query string
		want                         map[string]string
	}{
		"omelasticsearch": {`module(load="LIB/rsyslog/omelasticsearch.so")`,
			`action(type="omelasticsearch" server="127.0.0.1" serverport="ELASTIC" template="json" searchIndex="rsyslog-logs" bulkmode="on")`,
			"rsyslog-logs", "*", map[string]string{"level": "error", "host": "host1"}},
		"TCP, by lines": {"", `action(type="omfwd" target="127.0.0.1" port="TCP" protocol="tcp" TCP_Framing="traditional" template="RSYSLOG_TraditionalForwardFormat")`,
			"syslog", "service.name:shop-lines", map[string]string{"level": "error", "host.name": "host1"}},
		"TCP, RFC 5424 by octet counts": {"", `action(type="omfwd" target="127.0.0.1" port="TCP" protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format")`,
			"syslog", "service.name:shop-octets", map[string]string{"level": "error", "host.name": "host1"}},
		"TLS": {`global(DefaultNetstreamDriver="ossl" DefaultNetstreamDriverCAFile="CA")`,
			`action(type="omfwd" target="127.0.0.1" port="TLS" protocol="tcp" StreamDriver="ossl" StreamDriverMode="1" StreamDriverAuthMode="x509/certvalid" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format")`,
			"syslog", "service.name:shop-tls", map[string]string{"level": "error", "host.name": "host1", "syslog.facility": "user"}},
	} {
		t.Run(name, func(t *testing.T) {
			bin, lib, dir := peer(t, "root/usr/sbin/rsyslogd"), libraries(t), t.TempDir()
			if name == "TLS" {
				if _, err := os.Stat(filepath.Join(lib, "rsyslog/lmnsd_ossl.so")); err != nil {
					t.Skip("SKIPPED: rsyslog-openssl is not there; test/compat/setup fetches it")
				}
			}
			input := freeAddress(t, "udp")
			conf := filepath.Join(dir, "rsyslog.conf")
			writeFile(t, conf, strings.NewReplacer("LIB", lib, "INPUT", port(t, input), "ELASTIC", port(t, s.elastic), `"TCP"`, `"`+port(t, s.tcp)+`"`, `"TLS"`, `"`+port(t, s.tls)+`"`, `"CA"`, `"`+s.authority+`"`).Replace(c.module+`
module(load="LIB/rsyslog/imudp.so")
input(type="imudp" address="127.0.0.1" port="INPUT")
template(name="json" type="list" option.jsonf="on") {
  property(outname="@timestamp" name="timereported" dateFormat="rfc3339" format="jsonf")
  property(outname="host" name="hostname" format="jsonf")
  property(outname="severity" name="syslogseverity-text" format="jsonf")
  property(outname="programname" name="programname" format="jsonf")
  property(outname="message" name="msg" format="jsonf")
}
*.* `+c.action+"\n"))
			cmd := exec.CommandContext(context.WithoutCancel(t.Context()), bin, "-n", "-f", conf, "-i", filepath.Join(dir, "pid"), "-M", filepath.Join(lib, "rsyslog"))
			cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+lib)
			start(t, cmd)
			_, as, _ := strings.Cut(c.query, ":")
			say(t, input, as)
			s.holds(t, c.index, c.query, c.want)
		})
	}
}

// syslogNG sends what is said to it to Elasticsearch's door by http(), and to syslog's over TLS.
func syslogNG(t *testing.T, s *server) {
	for name, c := range map[string]struct {
		destination, index, query string
		want                      map[string]string
	}{
		"http()": {`http(url("http://ELASTIC/_bulk") method("POST") batch-lines(100) batch-timeout(200) headers("Content-Type: application/x-ndjson") body-suffix("\n")
  body("{\"index\":{\"_index\":\"syslog-ng\"}}\n$(format-json --scope rfc5424 --pair @timestamp=$ISODATE)"));`,
			"syslog-ng", "*", map[string]string{"level": "error", "PROGRAM": "shop"}},
		"TLS": {`syslog("127.0.0.1" port(TLS) transport("tls") tls(ca-file("CA") peer-verify(required-trusted)));`,
			"syslog", "service.name:shop-ng", map[string]string{"level": "error", "host.name": "host1"}},
	} {
		t.Run(name, func(t *testing.T) {
			bin, lib, dir := peer(t, "root/usr/sbin/syslog-ng"), libraries(t), t.TempDir()
			modules, err := filepath.Glob(filepath.Join(peer(t, "root"), "usr/lib/syslog-ng/*/libhttp.so"))
			if err != nil || len(modules) == 0 {
				t.Skip("SKIPPED: syslog-ng's http() is not there")
			}
			module := filepath.Dir(modules[0])
			input := freeAddress(t, "udp")
			conf := filepath.Join(dir, "syslog-ng.conf")
			writeFile(t, conf, strings.NewReplacer("VERSION", filepath.Base(module), "INPUT", port(t, input), "ELASTIC", s.elastic, "port(TLS)", "port("+port(t, s.tls)+")", `"CA"`, `"`+s.authority+`"`).Replace(`@version: VERSION
options { keep-hostname(yes); };
source s { udp(ip("127.0.0.1") port(INPUT)); };
destination d { `+c.destination+` };
log { source(s); destination(d); };
`))
			cmd := exec.CommandContext(context.WithoutCancel(t.Context()), bin, "-F", "-f", conf, "--module-path="+module,
				"-R", filepath.Join(dir, "persist"), "-c", filepath.Join(dir, "ctl"), "-p", filepath.Join(dir, "pid"))
			cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+strings.Join([]string{lib, filepath.Join(peer(t, "root"), "lib", filepath.Base(lib)), filepath.Dir(module), module}, ":"))
			start(t, cmd)
			_, as, _ := strings.Cut(c.query, ":")
			say(t, input, as)
			s.holds(t, c.index, c.query, c.want)
		})
	}
}

// holds awaits the three documents that were said, with these fields.
func (s *server) holds(t *testing.T, index, query string, want map[string]string) {
	t.Helper()
	source := s.found(t, index, query)
	for name, value := range want {
		if got := fmt.Sprint(field(source, name)); got != value {
			t.Errorf("%s is %q, want %q in %v", name, got, value, source)
		}
	}
	if text := fmt.Sprint(source["message"], source["MESSAGE"]); !strings.Contains(text, "it says") {
		t.Errorf("found %v", source)
	}
}

// field is a value by its name with dots, however the document nests it.
func field(source map[string]any, name string) any {
	if v, ok := source[name]; ok {
		return v
	}
	head, rest, _ := strings.Cut(name, ".")
	if inner, ok := source[head].(map[string]any); ok {
		return field(inner, rest)
	}
	return nil
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

// say sends three messages of a program (empty: shop) as soon as somebody listens there.
func say(t *testing.T, address, program string) {
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
		fmt.Fprintf(c, "<11>%s host1 %s: it says %d", time.Now().Format(time.Stamp), cmp.Or(program, "shop"), i)
	}
}
