package logstash

import (
	"context"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// serverTLS reads the settings of an input's certificate, in their old and new names; nil is none.
func (o *options) serverTLS() *tls.Config {
	on := o.bool("ssl_enabled", false) || o.bool("ssl", false) || o.bool("ssl_enable", false)
	pick := func(names ...string) string {
		out := ""
		for _, n := range names {
			if s := o.text(n, ""); s != "" {
				out = o.path(s)
			}
		}
		return out
	}
	certificate, key := pick("ssl_certificate", "ssl_cert"), pick("ssl_key")
	o.refuse("let a proxy in front ask for the client's certificate", "ssl_certificate_authorities", "ssl_client_authentication", "ssl_verify_mode", "ssl_extra_chain_certs", "ssl_key_passphrase", "ssl_keystore_path", "keystore", "ssl_keystore_password", "keystore_password", "ssl_truststore_path")
	o.ignore("ssl_verify", "ssl_cipher_suites", "cipher_suites", "ssl_supported_protocols", "tls_min_version", "tls_max_version", "ssl_handshake_timeout")
	if !on {
		return nil
	}
	pair, err := tls.LoadX509KeyPair(certificate, key)
	if err != nil {
		o.wrong(o.plugin.Pos, "give ssl_certificate and ssl_key", "the certificate of input %s cannot be read: %v", o.plugin.Name, err)
		return nil
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
}

// listen opens an address and says, if it is taken, whose mend it is.
func listen(ctx context.Context, network, address string, t *tls.Config) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, network, address)
	if err != nil {
		return nil, problem.New(problem.Conflict, "cannot listen on %s: %w", address, err).WithMend("give another port, or end what listens there")
	}
	if t != nil {
		l = tls.NewListener(l, t)
	}
	return l, nil
}

// maxConnections bounds who is connected to one input at once.
const maxConnections = 2000

type tcpInput struct {
	address    string
	codec      *codec
	tls        *tls.Config
	compatible bool
}

func newTCPInput(o *options, _ Env) input {
	f := &tcpInput{address: o.listenAddress(0), codec: o.codec("line"), tls: o.serverTLS(), compatible: o.compatible()}
	if o.choice("mode", "server", "server", "client") == "client" {
		o.wrong(o.plugin.Pos, "let the other side connect to daytwo", "mode client of input tcp is not carried out")
	}
	o.refuse("put a proxy in front that speaks plain TCP", "proxy_protocol")
	o.ignore("dns_reverse_lookup_enabled", "tcp_keep_alive", "data_timeout")
	return f
}

func (f *tcpInput) run(ctx context.Context, in *intake) error {
	return serveLines(ctx, in, f.address, f.tls, func(ctx context.Context, conn net.Conn) error {
		host, port, _ := net.SplitHostPort(conn.RemoteAddr().String())
		return decodeStream(ctx, conn, f.codec, in, func(e *Event) {
			n, _ := strconv.ParseInt(port, 10, 64)
			if f.compatible {
				e.set(parseRef("[@metadata][input][tcp][source]"), map[string]any{"ip": host, "name": host, "port": n})
				return
			}
			if _, ok := e.fields["host"]; !ok {
				e.fields["host"] = host
			}
			if _, ok := e.fields["port"]; !ok {
				e.fields["port"] = n
			}
		})
	})
}

// serveLines accepts connections until ctx ends and closes them then.
func serveLines(ctx context.Context, in *intake, address string, t *tls.Config, serve func(context.Context, net.Conn) error) error {
	l, err := listen(ctx, "tcp", address, t)
	if err != nil {
		return err
	}
	in.ready()
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	var open sync.WaitGroup
	defer open.Wait()
	slots := make(chan struct{}, maxConnections)
	for {
		conn, err := l.Accept()
		if err != nil {
			l.Close()
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		select {
		case slots <- struct{}{}:
		default:
			conn.Close()
			in.stage.counts.failed.Add(1)
			continue
		}
		open.Go(func() {
			defer func() { <-slots }()
			end := context.AfterFunc(ctx, func() { conn.Close() })
			defer end()
			defer conn.Close()
			if err := serve(ctx, conn); err != nil && ctx.Err() == nil {
				in.stage.counts.failed.Add(1)
			}
		})
	}
}

func newUDPInput(o *options, _ Env) input {
	address, c, compatible := o.listenAddress(0), o.codec("plain"), o.compatible()
	size := o.int("buffer_size", 65536, 1, 65536)
	receive := o.int("receive_buffer_bytes", 0, 0, 1<<30)
	otherwise := "host"
	if compatible {
		otherwise = "[host][ip]"
	}
	source := o.ref("source_ip_fieldname", otherwise)
	o.ignore("queue_size", "workers")
	return inputFunc(func(ctx context.Context, in *intake) error {
		return servePackets(ctx, in, address, size, receive, c, func(e *Event, from net.Addr) {
			host, port, _ := net.SplitHostPort(from.String())
			if _, ok := e.get(source); !ok {
				e.set(source, host)
			}
			if n, err := strconv.ParseInt(port, 10, 64); err == nil && compatible {
				e.set(parseRef("[@metadata][input][udp][source]"), map[string]any{"ip": host, "port": n})
			}
		})
	})
}

func servePackets(ctx context.Context, in *intake, address string, size, receive int, c *codec, touch func(*Event, net.Addr)) error {
	conn, err := new(net.ListenConfig).ListenPacket(ctx, "udp", address)
	if err != nil {
		return problem.New(problem.Conflict, "cannot listen on %s (UDP): %w", address, err).WithMend("give another port, or end what listens there")
	}
	defer func() { _ = conn.Close() }() // nothing is written to it
	if u, ok := conn.(*net.UDPConn); ok && receive > 0 {
		_ = u.SetReadBuffer(receive)
	}
	in.ready()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	buffer := make([]byte, size)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		c.decoder().message(buffer[:n], func(e *Event) {
			touch(e, from)
			_ = in.give(ctx, e) // fails only when the input ends
		})
	}
}

// httpInput takes events as bodies of requests. It answers when they have gone through the pipeline.
type httpInput struct {
	address        string
	tls            *tls.Config
	codec          *codec
	more           map[string]*codec // by media type
	user, password string
	headers        [][2]string
	status         int
	most           int64
	hostField      Ref
	headerField    Ref
	compatible     bool
}

func newHTTPInput(o *options, _ Env) input {
	f := &httpInput{
		address: o.listenAddress(8080), tls: o.serverTLS(), codec: o.codec("plain"), user: o.text("user", ""), password: o.text("password", ""),
		headers: o.textPairs("response_headers"), status: o.int("response_code", 200, 200, 204), most: int64(o.int("max_content_length", 100<<20, 1, 1<<30)),
		compatible: o.compatible(), more: map[string]*codec{},
	}
	remote, headers := "host", "headers"
	if f.compatible {
		remote, headers = "[host][ip]", "[@metadata][input][http][request][headers]"
	}
	f.hostField, f.headerField = o.ref("remote_host_target_field", remote), o.ref("request_headers_target_field", headers)
	more := o.textPairs("additional_codecs")
	if !o.has("additional_codecs") {
		more = [][2]string{{"application/json", "json"}}
	}
	for _, m := range more {
		f.more[m[0]] = o.buildCodec(o.named(m[1]))
	}
	o.ignore("threads", "max_pending_requests", "verify_mode")
	return f
}

func (f *httpInput) run(ctx context.Context, in *intake) error {
	l, err := listen(ctx, "tcp", f.address, f.tls)
	if err != nil {
		return err
	}
	in.ready()
	server := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { f.serve(ctx, in, w, r) }),
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 2 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(l) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	// Requests under way are answered: what they brought still goes through.
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		server.Close()
	}
	if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// answerWithin is how long a request may wait for its events to go through.
const answerWithin = 60 * time.Second

func (f *httpInput) serve(ctx context.Context, in *intake, w http.ResponseWriter, r *http.Request) {
	for _, h := range f.headers {
		w.Header().Set(h[0], h[1])
	}
	if f.user != "" {
		user, password, _ := r.BasicAuth()
		if subtle.ConstantTimeCompare([]byte(user), []byte(f.user))&subtle.ConstantTimeCompare([]byte(password), []byte(f.password)) != 1 {
			w.Header().Set("WWW-Authenticate", `Basic realm="Logstash HTTP Input"`)
			http.Error(w, "Unauthorized", http.StatusUnauthorized)
			return
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, f.most))
	if err != nil {
		status := http.StatusBadRequest
		if errors.As(err, new(*http.MaxBytesError)) {
			status = http.StatusRequestEntityTooLarge
		}
		http.Error(w, "the body cannot be read: "+err.Error(), status)
		return
	}
	media, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type"))
	c := f.codec
	if other, ok := f.more[media]; ok {
		c = other
	}
	wait, cancel := context.WithTimeout(r.Context(), answerWithin)
	defer cancel()
	through := make(chan struct{})
	share := &receipt{done: func() { close(through) }}
	share.share()
	failed := false
	c.decoder().message(body, func(e *Event) {
		e.receipt = share
		share.share()
		f.describe(e, r, len(body), media)
		if err := in.give(wait, e); err != nil {
			failed = true
			share.settle()
		}
	})
	share.settle()
	select {
	case <-through:
	case <-wait.Done():
		failed = true
	}
	if failed {
		w.Header().Set("Retry-After", "1")
		http.Error(w, "busy", http.StatusTooManyRequests)
		return
	}
	w.Header().Set("Content-Type", "text/plain")
	w.WriteHeader(f.status)
	if f.status != http.StatusNoContent {
		fmt.Fprint(w, "ok")
	}
}

// describe adds what the request says of itself.
func (f *httpInput) describe(e *Event, r *http.Request, length int, media string) {
	host, _, _ := net.SplitHostPort(r.RemoteAddr)
	if _, ok := e.get(f.hostField); !ok {
		e.set(f.hostField, host)
	}
	headers := map[string]any{"request_method": r.Method, "request_path": r.URL.RequestURI(), "http_version": r.Proto, "http_host": r.Host}
	for k, v := range r.Header {
		if k != "Authorization" && k != "Cookie" {
			headers[strings.ReplaceAll(strings.ToLower(k), "-", "_")] = strings.Join(v, ", ")
		}
	}
	if _, ok := e.get(f.headerField); !ok {
		e.set(f.headerField, headers)
	}
	if !f.compatible {
		return
	}
	absent := func(name string, v any) {
		ref := parseRef(name)
		if _, ok := e.get(ref); !ok && v != "" {
			e.set(ref, v)
		}
	}
	absent("[http][method]", r.Method)
	absent("[http][version]", r.Proto)
	absent("[url][path]", r.URL.Path)
	absent("[url][query]", r.URL.RawQuery)
	absent("[user_agent][original]", r.UserAgent())
	absent("[http][request][mime_type]", media)
	absent("[http][request][body][bytes]", strconv.Itoa(length))
	domain, port, err := net.SplitHostPort(r.Host)
	if err != nil {
		domain = r.Host
	}
	absent("[url][domain]", domain)
	if n, err := strconv.ParseInt(port, 10, 64); err == nil {
		absent("[url][port]", n)
	}
}
