package notify_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	netmail "net/mail"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/notify"
)

// script is a mail server that answers each command, by its first word, with a line; the greeting is under "". It never answers
// what is not there, and hands out the commands it got.
type script struct {
	url      string
	commands chan string
}

var friendly = map[string]string{"": "220 hi", "EHLO": "250 hi", "MAIL": "250 ok", "RCPT": "250 ok", "DATA": "354 go on", ".": "250 taken",
	"RSET": "250 ok", "QUIT": "221 bye"}

func newScript(t *testing.T, l net.Listener, scheme string, answers map[string]string) script {
	t.Helper()
	s := script{url: scheme + "://" + l.Addr().String(), commands: make(chan string, 100)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		s.talk(conn, answers)
	}()
	t.Cleanup(func() { l.Close(); <-done })
	return s
}

func (s script) talk(conn net.Conn, answers map[string]string) {
	lines, inData := bufio.NewReader(conn), false
	for word := ""; ; {
		if answer, ok := answers[word]; ok && !inData {
			fmt.Fprintf(conn, "%s\r\n", answer)
			inData = strings.HasPrefix(answer, "354")
		}
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		if line = strings.TrimRight(line, "\r\n"); inData && line != "." {
			continue
		}
		inData = false
		word, _, _ = strings.Cut(line, " ")
		s.commands <- line
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func without(words ...string) map[string]string {
	m := map[string]string{}
	for word, answer := range friendly {
		if !slices.Contains(words, word) {
			m[word] = answer
		}
	}
	return m
}

func with(word, answer string) map[string]string {
	m := without()
	m[word] = answer
	return m
}

// Wherever a mail server falls silent, the send ends when its time is over, may be tried again, and leaves nothing behind.
func TestMailServersThatFallSilent(t *testing.T) {
	for name, silent := range map[string]string{"at the greeting": "", "at EHLO": "EHLO", "at MAIL": "MAIL", "at RCPT": "RCPT", "at DATA": "DATA",
		"after the message": "."} {
		for _, scheme := range []string{"smtp", "smtps"} {
			t.Run(name+" over "+scheme, func(t *testing.T) {
				l := listen(t)
				if scheme == "smtps" {
					l = tls.NewListener(l, &tls.Config{Certificates: []tls.Certificate{certificate}})
				}
				s := newScript(t, l, scheme, without(silent, "HELO"))
				ends(t, s.url, 300*time.Millisecond)
			})
		}
	}
	t.Run("at the handshake", func(t *testing.T) {
		s := newScript(t, listen(t), "smtps", nil)
		ends(t, s.url, 300*time.Millisecond)
	})
}

func ends(t *testing.T, url string, after time.Duration) {
	t.Helper()
	n := newNotifier(t, notify.Config{SMTP: url, From: "pager@ops.example"})
	ctx, cancel := context.WithTimeout(t.Context(), after)
	defer cancel()
	started := time.Now()
	err := n.Send(ctx, notify.Address{Channel: notify.Email, To: "a@b.c"}, message)
	if err == nil || notify.Permanent(err) || time.Since(started) > after+5*time.Second {
		t.Errorf("after %s: %v", time.Since(started), err)
	}
}

// What is not SMTP is a failure that may pass, and never a delivery.
func TestMailServersThatTalkNonsense(t *testing.T) {
	for name, answers := range map[string]map[string]string{
		"greeting":      with("", "HTTP/1.1 400 Bad Request"),
		"binary":        with("", "\x00\xff\x00\xfe"),
		"endless line":  with("", "220 "+strings.Repeat("x", 4<<20)),
		"EHLO":          with("EHLO", "-1 what"),
		"MAIL":          with("MAIL", "yes"),
		"DATA":          with("DATA", "250 not yet"),
		"after the end": with(".", "\x1b[2J"),
	} {
		t.Run(name, func(t *testing.T) {
			s := newScript(t, listen(t), "smtp", answers)
			ends(t, s.url, 2*time.Second)
		})
	}
}

// smtps is encrypted from the first byte, and the password goes nowhere else.
func TestMailOverTLS(t *testing.T) {
	answers := with("EHLO", "250-hi\r\n250 AUTH PLAIN")
	answers["AUTH"] = "235 welcome"
	l := tls.NewListener(listen(t), &tls.Config{Certificates: []tls.Certificate{certificate}})
	s := newScript(t, l, "smtps", answers)
	n := newNotifier(t, notify.Config{SMTP: strings.Replace(s.url, "://", "://ada:secret@", 1), From: "pager@ops.example"})
	if err := n.Send(t.Context(), notify.Address{Channel: notify.Email, To: "a@b.c"}, message); err != nil {
		t.Fatal(err)
	}
	<-s.commands
	if got := <-s.commands; !strings.HasPrefix(got, "AUTH PLAIN ") {
		t.Errorf("got %q", got)
	}

	plain := newScript(t, listen(t), "smtps", answers)
	n = newNotifier(t, notify.Config{SMTP: strings.Replace(plain.url, "://", "://ada:secret@", 1), From: "pager@ops.example"})
	if err := n.Send(t.Context(), notify.Address{Channel: notify.Email, To: "a@b.c"}, message); err == nil || notify.Permanent(err) {
		t.Errorf("a server without TLS: %v", err)
	}
}

// Nothing in a message can add a header or a recipient, or end the message early.
func TestNothingGetsIntoTheHeaders(t *testing.T) {
	for _, poison := range []string{"a\r\nBcc: eve@example.com", "a\nX-Evil: 1", "a\rX-Evil: 1", "a\x00b", "a\u2028X-Evil: 1", "a\u0085X-Evil: 1",
		"a\r\n\r\n<script>alert(1)</script>", "a\r\n.\r\nQUIT", strings.Repeat("ä ", 5000), "=?utf-8?q?a=0D=0ABcc:_eve@example.com?="} {
		s := newSink(t)
		n := newNotifier(t, notify.Config{SMTP: s.url, From: "pager@ops.example"})
		m := notify.Message{ID: "01attempt", Thread: "01incident", Subject: poison, Text: poison, HTML: poison}
		if err := n.Send(t.Context(), notify.Address{Channel: notify.Email, To: "ada@example.com"}, m); err != nil {
			t.Fatalf("%q: %v", poison, err)
		}
		got, err := netmail.ReadMessage(strings.NewReader(<-s.mails))
		if err != nil {
			t.Fatalf("%q: %v", poison, err)
		}
		for name := range got.Header {
			if !slices.Contains([]string{"Subject", "From", "To", "Date", "Message-Id", "In-Reply-To", "References", "Mime-Version",
				"Auto-Submitted", "User-Agent", "X-Mailer", "Content-Type"}, name) {
				t.Errorf("%q: header %s: %q", poison, name, got.Header[name])
			}
		}
		if to, err := got.Header.AddressList("To"); err != nil || len(to) != 1 || to[0].Address != "ada@example.com" {
			t.Errorf("%q: to %v, %v", poison, to, err)
		}
		if got.Header.Get("References") != "<01incident@ops.example>" || got.Header.Get("In-Reply-To") != "<01incident@ops.example>" {
			t.Errorf("thread %v", got.Header)
		}
	}
	for _, to := range []string{"a@b.c\r\nBcc: eve@example.com", "a@b.c, eve@example.com", "a@b.c>\r\nRCPT TO:<eve@example.com", ""} {
		s := newSink(t)
		n := newNotifier(t, notify.Config{SMTP: s.url, From: "pager@ops.example"})
		err := n.Send(t.Context(), notify.Address{Channel: notify.Email, To: to}, message)
		if !notify.Permanent(err) || len(s.mails) != 0 {
			t.Errorf("%q: %v", to, err)
		}
	}
}

// A receiver that has said yes has the message, however it goes on; one that does not answer costs the time of the send, no more.
func TestReceiversThatMisbehave(t *testing.T) {
	for name, tt := range map[string]struct {
		serve   http.HandlerFunc
		arrived bool
	}{
		"never answers": {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, false},
		"trickles its body": {func(w http.ResponseWriter, r *http.Request) {
			for err := error(nil); err == nil; {
				_, err = io.WriteString(w, "x")
				err = errors.Join(err, http.NewResponseController(w).Flush())
				select {
				case <-r.Context().Done():
				case <-time.After(20 * time.Millisecond):
				}
			}
		}, true},
		"answers 100 MB": {func(w http.ResponseWriter, _ *http.Request) {
			for range 100 {
				if _, err := w.Write(make([]byte, 1<<20)); err != nil {
					return
				}
			}
		}, true},
		"answers with huge headers": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("X-Big", strings.Repeat("x", 1<<20))
		}, false},
		"redirects to itself": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, r.URL.Path, http.StatusTemporaryRedirect)
		}, false},
	} {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				calls.Add(1)
				_, _ = io.Copy(io.Discard, r.Body)
				tt.serve(w, r)
			}))
			defer server.Close()
			n := newNotifier(t, notify.Config{AllowPrivate: true})
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			started := time.Now()
			err := n.Send(ctx, notify.Address{Channel: notify.Webhook, To: server.URL}, message)
			if (err == nil) != tt.arrived || calls.Load() != 1 || time.Since(started) > 5*time.Second {
				t.Errorf("%d calls, %s: %v", calls.Load(), time.Since(started), err)
			}
			if tt.arrived && ctx.Err() != nil {
				t.Error("a delivery took all of its time")
			}
		})
	}
}

// A redirect into the inside is not followed: the guard is not the only thing in its way.
func TestRedirectsInwardsAreNotFollowed(t *testing.T) {
	reached := false
	inside := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached = true }))
	defer inside.Close()
	outside := httptest.NewServer(http.RedirectHandler(inside.URL, http.StatusFound))
	defer outside.Close()
	n := newNotifier(t, notify.Config{AllowPrivate: true})
	err := n.Send(t.Context(), notify.Address{Channel: notify.Webhook, To: outside.URL}, message)
	if !notify.Permanent(err) || reached {
		t.Errorf("reached %v: %v", reached, err)
	}
}
