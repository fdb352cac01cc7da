package pagerduty

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"regexp"
	"strings"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

const (
	maxMail     = 1 << 20 // bytes of one message
	maxMailTo   = 20      // recipients of one message
	maxMailText = 16 << 10
	mailTime    = time.Minute     // of one command or one message
	maxMailDoor = 100             // connections at once
	maxMailFrom = 10              // of them from one address
	mailLife    = 5 * time.Minute // of one connection
	maxParts    = 50              // of one message that are looked at
)

// Mail is what an e-mail says.
type Mail struct {
	From, Subject, Text string
	Header              mail.Header
}

// ReadMail reads a message as it goes over the wire (RFC 5322). Text is its first part of plain text,
// as far as that can be decoded.
func ReadMail(r io.Reader) (Mail, error) {
	msg, err := mail.ReadMessage(r)
	if err != nil {
		return Mail{}, problem.New(problem.Invalid, "this is not an e-mail: %v", err)
	}
	m := Mail{Header: msg.Header, From: msg.Header.Get("From"), Subject: msg.Header.Get("Subject")}
	words := new(mime.WordDecoder)
	if subject, err := words.DecodeHeader(m.Subject); err == nil {
		m.Subject = subject
	}
	if from, err := words.DecodeHeader(m.From); err == nil {
		m.From = from
	}
	parts := maxParts
	m.Text = plainText(msg.Header.Get("Content-Type"), msg.Header.Get("Content-Transfer-Encoding"), msg.Body, &parts)
	return m, nil
}

// plainText is the first plain text of a body, or of its parts, of which only so many are looked at; empty if there is none. What is
// damaged ends there: an alert is worth more than its last words.
func plainText(contentType, encoding string, body io.Reader, parts *int) string {
	media, params, err := mime.ParseMediaType(contentType)
	if err != nil || !strings.HasPrefix(media, "multipart/") {
		if err == nil && media != "text/plain" {
			return ""
		}
		switch strings.ToLower(encoding) {
		case "quoted-printable":
			body = quotedprintable.NewReader(body)
		case "base64":
			body = base64.NewDecoder(base64.StdEncoding, body)
		}
		data, _ := io.ReadAll(body)
		return string(data)
	}
	for inside := multipart.NewReader(body, params["boundary"]); *parts > 0; {
		*parts--
		part, err := inside.NextRawPart()
		if err != nil {
			return ""
		}
		text := plainText(cmp.Or(part.Header.Get("Content-Type"), "text/plain"), part.Header.Get("Content-Transfer-Encoding"), part, parts)
		if text != "" {
			return text
		}
	}
	return ""
}

const over = `resolved|recovery|recovered|cleared|closed|ok|up`

var (
	replyWords = regexp.MustCompile(`(?i)^\s*(re|fwd?|aw|wg)\s*:\s*`)
	// An over-word is marked as the state: in brackets or asterisks, before a colon or a dash, or alone.
	overWords = regexp.MustCompile(`(?i)^\W*?(?:\[\s*(?:` + over + `)\s*\]|\*\*\s*(?:` + over + `)\b|(?:` + over + `)(?:\s*:|\s+-\s|\W*$))[\s\]):*-]*`)
	badWords  = regexp.MustCompile(`(?i)^\W*(problem|alert|alarm|firing|triggered|down|critical|error|warning|info)\b[\s\]):*-]*`)
)

// Event is what an e-mail to an integration means. Its subject is the title. A subject that begins with a word such as RESOLVED, OK
// or RECOVERY, marked as one ("[OK] …", "** RECOVERY …", "RESOLVED: …", "Closed - …", or alone), ends the alert of the same subject
// without it; one that begins with CRITICAL, ERROR, WARNING or INFO has that
// severity, any other is an error. dedup, from the address, names the alert in place of the subject. The headers X-Dedup-Key,
// X-Severity and X-Event-Action (trigger, acknowledge, resolve) come before all of this.
func (m Mail) Event(dedup string) (incident.Event, error) {
	e := incident.Event{Source: "email", Action: "trigger", Body: incident.EventBody{Title: strings.TrimSpace(m.Subject), Severity: "error"}}
	rest := replyWords.ReplaceAllString(m.Subject, "")
	if over := overWords.FindString(rest); over != "" {
		e.Action, rest = "resolve", rest[len(over):]
	}
	for bad := badWords.FindStringSubmatch(rest); bad != nil; bad = badWords.FindStringSubmatch(rest) {
		switch word := strings.ToLower(bad[1]); word {
		case "critical", "error", "warning", "info":
			e.Body.Severity = word
		}
		rest = rest[len(bad[0]):]
	}
	e.Action = cmp.Or(strings.ToLower(m.Header.Get("X-Event-Action")), e.Action)
	e.Body.Severity = cmp.Or(strings.ToLower(m.Header.Get("X-Severity")), e.Body.Severity)
	e.DedupKey = clip(cmp.Or(m.Header.Get("X-Dedup-Key"), dedup, strings.ToLower(strings.Trim(rest, " *-:[]()")), strings.ToLower(e.Body.Title)), maxDedup)
	switch {
	case m.Header.Get("Auto-Submitted") != "" && !strings.EqualFold(m.Header.Get("Auto-Submitted"), "auto-generated") && !strings.EqualFold(m.Header.Get("Auto-Submitted"), "no"):
		return e, problem.New(problem.Invalid, "an automatic reply is no alert")
	case e.Body.Title == "" || e.DedupKey == "":
		return e, problem.New(problem.Invalid, "the e-mail has no subject").WithMend("say in the subject what is wrong")
	case e.Action != "trigger" && e.Action != "acknowledge" && e.Action != "resolve":
		return e, problem.New(problem.Invalid, "there is no action %q", clip(e.Action, 50)).WithField("X-Event-Action").WithMend("use trigger, acknowledge or resolve")
	}
	if at, err := m.Header.Date(); err == nil {
		e.Body.Time = at
	}
	e.Body.Fields.Origin = clip(m.From, 200)
	if text := strings.TrimSpace(m.Text); text != "" {
		e.Body.Fields.Details = map[string]any{"text": clip(text, maxMailText)}
	}
	return e, nil
}

// ServeMail takes e-mail on l until ctx ends: KEY@anything, or KEY+NAME@anything, is the integration of that key, and NAME the alert.
// A message is answered for once its events are durable; what may pass is answered so that the sender tries again.
func (a *API) ServeMail(ctx context.Context, l net.Listener) error {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return &mailSession{api: a, ctx: ctx}, nil }))
	server.Domain, server.MaxMessageBytes, server.MaxRecipients = "daytwo", maxMail, maxMailTo
	server.ReadTimeout, server.WriteTimeout = mailTime, mailTime
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(&fewer{Listener: l, free: make(chan struct{}, maxMailDoor), from: map[string]int{},
		refused: func() { a.Incidents.CountRefused("email") }}); ctx.Err() == nil && !errors.Is(err, smtp.ErrServerClosed) {
		return fmt.Errorf("e-mail: %w", err)
	}
	return nil
}

// mailSession is one connection.
type mailSession struct {
	api *API
	ctx context.Context //nolint:containedctx // go-smtp gives its sessions none
	to  []mailTo
}

// mailTo is a recipient that was understood.
type mailTo struct{ key, service, dedup string }

func (s *mailSession) Mail(string, *smtp.MailOptions) error { s.Reset(); return nil }
func (s *mailSession) Reset()                               { s.to = nil }
func (s *mailSession) Logout() error                        { return nil }

func (s *mailSession) Rcpt(to string, _ *smtp.RcptOptions) error {
	local, _, _ := strings.Cut(to, "@")
	key, dedup, _ := strings.Cut(local, "+")
	for _, k := range []string{key, strings.ToLower(key)} {
		if service, ok := s.api.Incidents.Integration(k); ok {
			s.to = append(s.to, mailTo{k, service, dedup})
			return nil
		}
	}
	s.api.Incidents.CountRefused("email")
	return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "nobody has this address: write to the key of an integration"}
}

func (s *mailSession) Data(r io.Reader) error {
	raw, err := io.ReadAll(r)
	if err != nil {
		return err // too large, or gone: go-smtp has the words for it
	}
	m, err := ReadMail(bytes.NewReader(raw))
	var list []incident.Event
	for _, to := range s.to {
		var e incident.Event
		if err == nil {
			e, err = m.Event(to.dedup)
		}
		e.Key, e.Service = to.key, to.service
		list = append(list, e)
	}
	if err == nil {
		_, err = s.api.Incidents.AcceptAll(s.ctx, list)
	}
	if err == nil {
		return nil
	}
	s.api.Incidents.CountRefused("email")
	if _, much := isTooMuch(err); much {
		return &smtp.SMTPError{Code: 451, EnhancedCode: smtp.EnhancedCode{4, 3, 0}, Message: "try again later: " + problem.From(err).Message}
	}
	return &smtp.SMTPError{Code: 554, EnhancedCode: smtp.EnhancedCode{5, 6, 0}, Message: strings.Join(strings.Fields(err.Error()), " ")}
}

// fewer is a listener whose connections are bounded, in all, from one address, and in time: more of all wait in the kernel's queue,
// more of one address are sent away.
type fewer struct {
	net.Listener
	free    chan struct{}
	refused func()
	mu      sync.Mutex
	from    map[string]int
}

func (l *fewer) Accept() (net.Conn, error) {
	for {
		l.free <- struct{}{}
		c, err := l.Listener.Accept()
		if err != nil {
			<-l.free
			return nil, err
		}
		host, _, _ := net.SplitHostPort(c.RemoteAddr().String())
		if counted := l.enter(c, host); counted != nil {
			return counted, nil
		}
		<-l.free
		l.refused()
		_ = c.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(c, "421 4.7.0 too many connections from this address, try again later\r\n")
		_ = c.Close()
	}
}

// enter counts a connection; nil if there are too many from its address.
func (l *fewer) enter(c net.Conn, host string) net.Conn {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.from[host] >= maxMailFrom {
		return nil
	}
	l.from[host]++
	return &counted{Conn: c, leave: func() { l.leave(host) }, end: time.AfterFunc(mailLife, func() { _ = c.Close() })}
}

func (l *fewer) leave(host string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.from[host]--; l.from[host] == 0 {
		delete(l.from, host)
	}
	<-l.free
}

type counted struct {
	net.Conn
	leave func()
	end   *time.Timer // of its life: then it is closed, and whoever reads from it finds that out
	once  sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.end.Stop(); c.leave() })
	return c.Conn.Close()
}
