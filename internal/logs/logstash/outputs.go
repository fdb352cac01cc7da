package logstash

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// outputs are the output plugins by name.
var outputs = map[string]func(*options, Env) output{
	"elasticsearch": newElasticsearch,
	"file":          newFileOutput,
	"http":          newHTTPOutput,
	"null":          func(*options, Env) output { return outputFunc(func(context.Context, []*Event) error { return nil }) },
	"stdout":        newStdout,
	"tcp":           newTCPOutput,
	"udp":           newUDPOutput,
}

// output takes events away. An error means that none of them has arrived for sure, and that trying again may help; what cannot help is an
// *undeliverable. Several workers use an output at once. It keeps nothing of an event.
type output interface {
	write(ctx context.Context, events []*Event) error
	close()
}

type outputFunc func(ctx context.Context, events []*Event) error

func (f outputFunc) write(ctx context.Context, events []*Event) error { return f(ctx, events) }
func (f outputFunc) close()                                           {}

// undeliverable is events that no further try can bring: they are counted and left.
type undeliverable struct {
	n   int
	err error
}

func (u *undeliverable) Error() string { return u.err.Error() }
func (u *undeliverable) Unwrap() error { return u.err }

// Console is what stdin and stdout are.
type Console struct {
	In  io.Reader
	Out io.Writer
	mu  sync.Mutex
}

func (c *Console) write(b []byte) error {
	if c == nil || c.Out == nil || len(b) == 0 {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	_, err := c.Out.Write(b)
	return err
}

func newStdout(o *options, env Env) output {
	c := o.codec("rubydebug")
	return outputFunc(func(_ context.Context, events []*Event) error {
		var out []byte
		for _, e := range events {
			out = append(out, c.encode(e)...)
		}
		return env.Out.write(out)
	})
}

// fileOutput appends to files whose names may have fields in them.
type fileOutput struct {
	path      *template
	root      string // what every path must lie under
	failure   string
	codec     *codec
	overwrite bool
	fileMode  os.FileMode
	dirMode   os.FileMode
	mu        sync.Mutex
	open      map[string]*os.File
}

// maxOpenFiles bounds the files that are open at once.
const maxOpenFiles = 64

func newFileOutput(o *options, _ Env) output {
	f := &fileOutput{
		path: o.template("path", ""), codec: o.codec("json_lines"), overwrite: o.choice("write_behavior", "append", "append", "overwrite") == "overwrite",
		failure: o.text("filename_failure", "_filepath_failures"), open: map[string]*os.File{}, fileMode: 0o640, dirMode: 0o750,
	}
	o.require("path", `"/var/log/out.log"`)
	if m := o.int("file_mode", -1, -1, 0o777); m >= 0 {
		f.fileMode = os.FileMode(m)
	}
	if m := o.int("dir_mode", -1, -1, 0o777); m >= 0 {
		f.dirMode = os.FileMode(m)
	}
	o.ignore("flush_interval", "create_if_deleted", "stale_cleanup_interval")
	if o.bool("gzip", false) {
		o.wrong(o.plugin.Pos, "pack the files when they are rotated", "gzip of output file is not carried out")
	}
	fixed, _, _ := strings.Cut(f.path.source, "%{")
	if fixed != "" && !filepath.IsAbs(fixed) {
		o.wrong(o.plugin.Pos, "write the path from the root on", "path of output file is relative")
	}
	if f.root = filepath.Dir(fixed + "x"); fixed == "" || f.root == "/" && !f.path.constant() {
		o.wrong(o.plugin.Pos, "begin it with a directory that no event can change", "path of output file has no fixed beginning")
	}
	return f
}

func (f *fileOutput) write(_ context.Context, events []*Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	var order []string
	content := map[string][]byte{}
	for _, e := range events {
		path := filepath.Clean(f.path.fill(e))
		if path != f.root && !strings.HasPrefix(path, strings.TrimSuffix(f.root, "/")+"/") || strings.Contains(path, "%{") {
			path = filepath.Join(f.root, f.failure)
		}
		if _, ok := content[path]; !ok {
			order = append(order, path)
		}
		content[path] = append(content[path], f.codec.encode(e)...)
	}
	for _, path := range order {
		file, err := f.file(path)
		if err != nil {
			return err
		}
		if _, err := file.Write(content[path]); err != nil {
			return err
		}
	}
	return nil
}

func (f *fileOutput) file(path string) (*os.File, error) {
	if file, ok := f.open[path]; ok {
		if here, err := os.Stat(path); err == nil {
			if same, err := file.Stat(); err == nil && os.SameFile(here, same) {
				return file, nil
			}
		}
		file.Close() // it was moved away
		delete(f.open, path)
	}
	if len(f.open) >= maxOpenFiles {
		f.closeAll()
	}
	if err := os.MkdirAll(filepath.Dir(path), f.dirMode); err != nil {
		return nil, err
	}
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND
	if f.overwrite {
		flags = os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	}
	file, err := os.OpenFile(path, flags, f.fileMode)
	if err != nil {
		return nil, err
	}
	f.open[path] = file
	return file, nil
}

func (f *fileOutput) closeAll() {
	for path, file := range f.open {
		file.Close()
		delete(f.open, path)
	}
}

func (f *fileOutput) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closeAll()
}

// clientTLS reads the settings of an output's connection; nil is plain.
func (o *options) clientTLS() *tls.Config {
	on := o.bool("ssl_enabled", false) || o.bool("ssl_enable", false)
	o.refuse("daytwo trusts what the machine trusts: add the authority there", "cacert", "ssl_cacert", "ssl_certificate_authorities", "truststore", "ssl_truststore_path", "client_cert", "client_key", "ssl_certificate", "ssl_cert", "ssl_key", "keystore", "ssl_keystore_path")
	if s := o.text("ssl_verification_mode", "full"); s == "none" {
		o.wrong(o.plugin.Pos, "leave it out", "ssl_verification_mode none is not carried out")
	}
	o.ignore("ssl_verify", "ssl_verification_mode", "ssl_supported_protocols", "ssl_cipher_suites")
	if !on {
		return nil
	}
	return &tls.Config{MinVersion: tls.VersionTLS12}
}

// netOutput writes to one connection, which it makes anew when it breaks.
type netOutput struct {
	network, address string
	tls              *tls.Config
	codec            *codec
	mu               sync.Mutex
	conn             net.Conn
}

func newTCPOutput(o *options, _ Env) output {
	if o.choice("mode", "client", "client", "server") == "server" {
		o.wrong(o.plugin.Pos, "let daytwo connect to the other side", "mode server of output tcp is not carried out")
	}
	o.ignore("reconnect_interval")
	return o.netOutput("tcp", "json")
}

func newUDPOutput(o *options, _ Env) output {
	o.ignore("retry_count", "retry_backoff_ms")
	return o.netOutput("udp", "json")
}

func (o *options) netOutput(network, encoding string) output {
	o.require("host", `"127.0.0.1"`)
	o.require("port", "5000")
	f := &netOutput{network: network, codec: o.codec(encoding), address: net.JoinHostPort(o.text("host", ""), o.text("port", ""))}
	if network == "tcp" {
		f.tls = o.clientTLS()
	}
	return f
}

func (f *netOutput) write(ctx context.Context, events []*Event) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conn == nil {
		dial, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		conn, err := new(net.Dialer).DialContext(dial, f.network, f.address)
		if err != nil {
			return err
		}
		if f.tls != nil {
			t := f.tls.Clone()
			t.ServerName, _, _ = net.SplitHostPort(f.address)
			conn = tls.Client(conn, t)
		}
		f.conn = conn
	}
	var out []byte
	for _, e := range events {
		b := f.codec.encode(e)
		if f.network == "udp" {
			if _, err := f.conn.Write(b); err != nil {
				return f.broken(err)
			}
			continue
		}
		out = append(out, b...)
	}
	if len(out) == 0 {
		return nil
	}
	_ = f.conn.SetWriteDeadline(time.Now().Add(30 * time.Second))
	if _, err := f.conn.Write(out); err != nil {
		return f.broken(err)
	}
	return nil
}

func (f *netOutput) broken(err error) error {
	f.conn.Close()
	f.conn = nil
	return err
}

func (f *netOutput) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.conn != nil {
		f.conn.Close()
		f.conn = nil
	}
}

// httpOutput sends events as requests.
type httpOutput struct {
	url     *template
	method  string
	format  string
	message *template
	media   string
	headers [][2]*template
	mapping [][2]*template
	user    string
	secret  string
	retry   map[int]bool
	ignored map[int]bool
	codec   *codec
	client  *http.Client
}

func newHTTPOutput(o *options, _ Env) output {
	f := &httpOutput{
		url: o.template("url", ""), method: strings.ToUpper(o.choice("http_method", "post", "put", "post", "patch", "delete", "get", "head")),
		format: o.choice("format", "json", "json", "json_batch", "form", "message"), message: o.template("message", ""), user: o.text("user", ""), secret: o.text("password", ""),
		media: o.text("content_type", ""), retry: map[int]bool{}, ignored: map[int]bool{}, codec: o.codec("plain"),
	}
	o.require("url", `"https://…"`)
	o.require("http_method", "post")
	for _, h := range o.textPairs("headers") {
		f.headers = append(f.headers, [2]*template{o.templateOf(h[0], ""), o.templateOf(h[1], "")})
	}
	for _, m := range o.textPairs("mapping") {
		f.mapping = append(f.mapping, [2]*template{o.templateOf(m[0], ""), o.templateOf(m[1], "")})
	}
	for _, c := range []int{429, 500, 502, 503, 504} {
		f.retry[c] = true
	}
	if o.has("retryable_codes") {
		clear(f.retry)
	}
	for _, s := range o.texts("retryable_codes") {
		n, _ := strconv.Atoi(s)
		f.retry[n] = true
	}
	for _, s := range o.texts("ignorable_codes") {
		n, _ := strconv.Atoi(s)
		f.ignored[n] = true
	}
	f.client = &http.Client{Timeout: o.seconds("request_timeout", time.Minute)}
	o.clientTLS()
	o.refuse("leave it out", "cookies", "proxy", "http_compression")
	o.ignore("connect_timeout", "socket_timeout", "pool_max", "pool_max_per_route", "keepalive", "automatic_retries", "retry_non_idempotent", "retry_failed", "validate_after_inactivity", "follow_redirects", "ssl_enabled")
	return f
}

func (f *httpOutput) write(ctx context.Context, events []*Event) error {
	if f.format == "json_batch" {
		list := make([]any, len(events))
		for i, e := range events {
			list[i] = f.body(e)
		}
		return f.send(ctx, events[0], jsonText(list), "application/json", len(events))
	}
	lost := &undeliverable{}
	for _, e := range events {
		var body []byte
		media := "application/json"
		switch f.format {
		case "message":
			body, media = []byte(f.message.fill(e)), "text/plain"
		case "form":
			var b bytes.Buffer
			for i, k := range sortedKeys(e.fields) {
				if i > 0 {
					b.WriteByte('&')
				}
				fmt.Fprintf(&b, "%s=%s", url.QueryEscape(k), url.QueryEscape(text(e.fields[k])))
			}
			body, media = b.Bytes(), "application/x-www-form-urlencoded"
		default:
			body = jsonText(f.body(e))
		}
		err := f.send(ctx, e, body, media, 1)
		u := new(undeliverable)
		if errors.As(err, &u) {
			lost.n, lost.err = lost.n+u.n, u.err
		} else if err != nil {
			return err
		}
	}
	if lost.n > 0 {
		return lost
	}
	return nil
}

func (f *httpOutput) body(e *Event) map[string]any {
	if f.mapping == nil {
		return e.fields
	}
	out := map[string]any{}
	for _, m := range f.mapping {
		out[m[0].fill(e)] = m[1].fill(e)
	}
	return out
}

func (f *httpOutput) send(ctx context.Context, e *Event, body []byte, media string, n int) error {
	r, err := http.NewRequestWithContext(ctx, f.method, f.url.fill(e), bytes.NewReader(body))
	if err != nil {
		return &undeliverable{n, err}
	}
	if f.media != "" {
		media = f.media
	}
	r.Header.Set("Content-Type", media)
	for _, h := range f.headers {
		r.Header.Set(h[0].fill(e), h[1].fill(e))
	}
	if f.user != "" {
		r.SetBasicAuth(f.user, f.secret)
	}
	answer, err := f.client.Do(r)
	if err != nil {
		return err
	}
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10)
	answer.Body.Close()
	switch code := answer.StatusCode; {
	case code >= 200 && code < 300 || f.ignored[code]:
		return nil
	case f.retry[code]:
		return problem.New(problem.Unavailable, "%s answers %s", r.URL.Redacted(), answer.Status)
	default:
		return &undeliverable{n, problem.New(problem.Invalid, "%s answers %s", r.URL.Redacted(), answer.Status)}
	}
}

func (f *httpOutput) close() { f.client.CloseIdleConnections() }
