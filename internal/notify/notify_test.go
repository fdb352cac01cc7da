package notify_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// TestMain lets this process trust the certificate of the TLS servers of httptest.
func TestMain(m *testing.M) {
	server := httptest.NewTLSServer(nil)
	certificate = server.TLS.Certificates[0]
	file := filepath.Join(os.TempDir(), fmt.Sprintf("daytwo-notify-test-%d.pem", os.Getpid()))
	err := errors.Join(
		os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}), 0o600),
		os.Setenv("SSL_CERT_FILE", file),
	)
	server.Close()
	if err != nil {
		panic(err)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) { os.Remove(file); os.Exit(code) }))
}

// certificate is of 127.0.0.1.
var certificate tls.Certificate

// sink is a real SMTP server that hands out what it gets. reply, if set, answers each recipient.
type sink struct {
	url   string
	mails chan string
	reply *smtp.SMTPError
	hang  chan struct{} // if set, DATA is answered when it closes
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{mails: make(chan string, 10)}
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return session{s}, nil }))
	server.Domain = "sink.example"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() { defer close(done); _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close(); l.Close(); <-done })
	s.url = "smtp://" + l.Addr().String()
	return s
}

type session struct{ *sink }

func (s session) Mail(string, *smtp.MailOptions) error { return nil }
func (s session) Rcpt(string, *smtp.RcptOptions) error {
	if s.reply != nil {
		return s.reply
	}
	return nil
}
func (s session) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	if s.hang != nil {
		<-s.hang
	}
	s.mails <- string(text)
	return err
}
func (session) Reset()        {}
func (session) Logout() error { return nil }

func newNotifier(t *testing.T, c notify.Config) *notify.Notifier {
	t.Helper()
	c.Logger = slog.New(slog.DiscardHandler)
	n, err := notify.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

var message = notify.Message{
	ID: "01attempt", Subject: "[critical] Bezahlen geht nicht ✗\r\nBcc: eve@example.com", Text: "Grüße", HTML: "<p>Grüße</p>",
	URL: "http://daytwo.example/incidents/1", Data: map[string]any{"event": "incident.page"},
}

func TestEmailHasTextAndHTMLAndAStableID(t *testing.T) {
	s := newSink(t)
	reg := prometheus.NewRegistry()
	n := newNotifier(t, notify.Config{SMTP: s.url, From: "daytwo <pager@ops.example>", Registerer: reg})
	for range 2 {
		if err := n.Send(t.Context(), notify.Address{Channel: notify.Email, To: "ada@example.com"}, message); err != nil {
			t.Fatal(err)
		}
		m, err := netmail.ReadMessage(strings.NewReader(<-s.mails))
		if err != nil {
			t.Fatal(err)
		}
		if got := m.Header.Get("Message-ID"); got != "<01attempt@ops.example>" {
			t.Errorf("Message-ID %s", got)
		}
		subject, _ := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if subject != "[critical] Bezahlen geht nicht ✗ Bcc: eve@example.com" || m.Header.Get("Bcc") != "" {
			t.Errorf("subject %q, Bcc %q", subject, m.Header.Get("Bcc"))
		}
		if m.Header.Get("Auto-Submitted") != "auto-generated" || !strings.Contains(m.Header.Get("From"), "pager@ops.example") {
			t.Errorf("headers %v", m.Header)
		}
		if parts := readParts(t, m); parts["text/plain"] != "Grüße" || parts["text/html"] != "<p>Grüße</p>" {
			t.Errorf("parts %q", parts)
		}
	}
	want := `# HELP daytwo_notify_sends_total Attempts to send a message, by channel and result (sent, failed, refused: failed for good, stopped: broken off from here).
# TYPE daytwo_notify_sends_total counter
daytwo_notify_sends_total{channel="email",result="failed"} 0
daytwo_notify_sends_total{channel="email",result="refused"} 0
daytwo_notify_sends_total{channel="email",result="sent"} 2
daytwo_notify_sends_total{channel="webhook",result="failed"} 0
daytwo_notify_sends_total{channel="webhook",result="refused"} 0
daytwo_notify_sends_total{channel="webhook",result="sent"} 0
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "daytwo_notify_sends_total"); err != nil {
		t.Error(err)
	}
}

// What the caller breaks off says nothing about the receiver.
func TestAnAttemptThatIsBrokenOffIsNoFailure(t *testing.T) {
	reg := prometheus.NewRegistry()
	n := newNotifier(t, notify.Config{AllowPrivate: true, Registerer: reg})
	ctx, cancel := context.WithCancel(t.Context())
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then does the server notice that the caller went
		cancel()
		<-r.Context().Done()
	}))
	defer receiver.Close()
	if err := n.Send(ctx, notify.Address{Channel: notify.Webhook, To: receiver.URL}, message); err == nil {
		t.Error("it was sent")
	}
	want := `# HELP daytwo_notify_sends_total Attempts to send a message, by channel and result (sent, failed, refused: failed for good, stopped: broken off from here).
# TYPE daytwo_notify_sends_total counter
daytwo_notify_sends_total{channel="email",result="failed"} 0
daytwo_notify_sends_total{channel="email",result="refused"} 0
daytwo_notify_sends_total{channel="email",result="sent"} 0
daytwo_notify_sends_total{channel="webhook",result="failed"} 0
daytwo_notify_sends_total{channel="webhook",result="refused"} 0
daytwo_notify_sends_total{channel="webhook",result="sent"} 0
daytwo_notify_sends_total{channel="webhook",result="stopped"} 1
`
	if err := testutil.GatherAndCompare(reg, strings.NewReader(want), "daytwo_notify_sends_total"); err != nil {
		t.Error(err)
	}
}

func readParts(t *testing.T, m *netmail.Message) map[string]string {
	t.Helper()
	_, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if err == io.EOF {
			return found
		}
		if err != nil {
			t.Fatal(err)
		}
		kind, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type"))
		text, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		found[kind] = string(text)
	}
}

func TestEmailFailures(t *testing.T) {
	refused, later := &smtp.SMTPError{Code: 550, Message: "no such user"}, &smtp.SMTPError{Code: 451, Message: "try later"}
	for name, tt := range map[string]struct {
		reply     *smtp.SMTPError
		query     string
		permanent bool
	}{
		"unknown user":          {reply: refused, permanent: true},
		"greylisted":            {reply: later},
		"no TLS where demanded": {query: "?tls=required"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSink(t)
			s.reply = tt.reply
			n := newNotifier(t, notify.Config{SMTP: s.url + tt.query, From: "pager@ops.example"})
			err := n.Send(t.Context(), notify.Address{Channel: notify.Email, To: "ada@example.com"}, message)
			if err == nil || notify.Permanent(err) != tt.permanent || len(s.mails) != 0 {
				t.Errorf("permanent %v, %d mails: %v", notify.Permanent(err), len(s.mails), err)
			}
		})
	}
}

func TestEmailNobodyListensIsPassing(t *testing.T) {
	l, _ := net.Listen("tcp", "127.0.0.1:0")
	l.Close()
	n := newNotifier(t, notify.Config{SMTP: "smtp://" + l.Addr().String(), From: "pager@ops.example"})
	if err := n.Send(t.Context(), notify.Address{Channel: notify.Email, To: "a@b.c"}, message); err == nil || notify.Permanent(err) {
		t.Errorf("got %v", err)
	}
}

func TestCancelEndsASendUnderWay(t *testing.T) {
	s := newSink(t)
	s.hang = make(chan struct{})
	defer close(s.hang)
	n := newNotifier(t, notify.Config{SMTP: s.url, From: "pager@ops.example"})
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(50*time.Millisecond, cancel)
	err := n.Send(ctx, notify.Address{Channel: notify.Email, To: "a@b.c"}, message)
	if err == nil || notify.Permanent(err) {
		t.Errorf("got %v", err)
	}
}

func TestWithoutSMTPEmailIsRefused(t *testing.T) {
	n := newNotifier(t, notify.Config{})
	if err := n.Send(t.Context(), notify.Address{Channel: notify.Email, To: "a@b.c"}, message); !notify.Permanent(err) {
		t.Errorf("got %v", err)
	}
	if err := n.Send(t.Context(), notify.Address{Channel: "pigeon", To: "a"}, message); !notify.Permanent(err) {
		t.Errorf("got %v", err)
	}
}

func TestConfigIsChecked(t *testing.T) {
	for name, c := range map[string]notify.Config{
		"scheme":    {SMTP: "http://mail.example.com", From: "a@b.c"},
		"no host":   {SMTP: "smtp://:25", From: "a@b.c"},
		"no sender": {SMTP: "smtp://mail.example.com"},
		"tls":       {SMTP: "smtp://mail.example.com?tls=maybe", From: "a@b.c"},
		"port":      {SMTP: "smtp://mail.example.com:0", From: "a@b.c"},
	} {
		t.Run(name, func(t *testing.T) {
			c.Logger = slog.New(slog.DiscardHandler)
			if _, err := notify.New(c); problem.CodeOf(err) != problem.Invalid {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestWebhookIsSignedAndNamed(t *testing.T) {
	var got *http.Request
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	}))
	defer server.Close()
	n := newNotifier(t, notify.Config{AllowPrivate: true, WebhookSecret: "s3cret"})
	if err := n.Send(t.Context(), notify.Address{Channel: notify.Webhook, To: server.URL + "/T0/token"}, message); err != nil {
		t.Fatal(err)
	}
	if got.Method != http.MethodPost || got.URL.Path != "/T0/token" || got.Header.Get("Content-Type") != "application/json" {
		t.Errorf("%s %s %v", got.Method, got.URL, got.Header)
	}
	if got.Header.Get(notify.DeliveryHeader) != "01attempt" || got.Header.Get(notify.SignatureHeader) != notify.Sign("s3cret", body) {
		t.Errorf("headers %v", got.Header)
	}
	var data map[string]any
	if err := json.Unmarshal(body, &data); err != nil || data["event"] != "incident.page" {
		t.Errorf("body %s", body)
	}
}

func TestWebhookFailures(t *testing.T) {
	for status, permanent := range map[int]bool{
		http.StatusFound: true, http.StatusBadRequest: true, http.StatusNotFound: true, http.StatusGone: true,
		http.StatusTooManyRequests: false, http.StatusRequestTimeout: false, http.StatusInternalServerError: false, http.StatusBadGateway: false,
	} {
		t.Run(http.StatusText(status), func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "http://127.0.0.1:1/")
				w.WriteHeader(status)
			}))
			defer server.Close()
			n := newNotifier(t, notify.Config{AllowPrivate: true})
			err := n.Send(t.Context(), notify.Address{Channel: notify.Webhook, To: server.URL + "/secret-path"}, message)
			if err == nil || notify.Permanent(err) != permanent || strings.Contains(err.Error(), "secret-path") {
				t.Errorf("permanent %v: %v", notify.Permanent(err), err)
			}
		})
	}
}

func TestErrorsKeepTheSecretOfAWebhook(t *testing.T) {
	n := newNotifier(t, notify.Config{AllowPrivate: true})
	for _, to := range []string{"http://127.0.0.1:1/secret-path", "ftp://x/secret-path", "http://\x7f/secret-path"} {
		err := n.Send(t.Context(), notify.Address{Channel: notify.Webhook, To: to}, message)
		if err == nil || strings.Contains(err.Error(), "secret-path") {
			t.Errorf("%q: %v", to, err)
		}
	}
	if got := (notify.Address{Channel: notify.Webhook, To: "https://hooks.example.com/T0/secret?x=y"}).String(); got != "https://hooks.example.com/…" {
		t.Errorf("shown as %s", got)
	}
}

func TestPrivateAddressesAreRefusedWhenDialling(t *testing.T) {
	called := false
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { called = true }))
	defer server.Close()
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(server.URL, "http://"))
	n := newNotifier(t, notify.Config{})
	for _, host := range []string{"127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "10.0.0.1", "169.254.169.254", "0.0.0.0",
		"100.64.0.1", "[fd00::1]", "[fe80::1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "255.255.255.255"} {
		err := n.Send(t.Context(), notify.Address{Channel: notify.Webhook, To: "http://" + host + ":" + port}, message)
		if !notify.Permanent(err) {
			t.Errorf("%s: %v", host, err)
		}
	}
	if called {
		t.Error("a private address was reached")
	}
}

func FuzzAddress(f *testing.F) {
	for _, seed := range []string{"", "https://hooks.example.com/a", "http://[::1]:7/%zz", "::", "javascript:alert(1)", "http://a\nb"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, to string) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		n := newNotifier(t, notify.Config{})
		if err := n.Send(ctx, notify.Address{Channel: notify.Webhook, To: to}, message); err == nil {
			t.Errorf("%q was reached", to)
		}
		_ = notify.Address{Channel: notify.Webhook, To: to}.String()
	})
}
