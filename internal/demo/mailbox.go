package demo

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/incident/pagerduty"
)

// maxMessages bounds the mailbox; the oldest go first.
const maxMessages = 500

// Email is one message that the mailbox received over SMTP.
type Email struct {
	ID      string    `json:"id"`
	At      time.Time `json:"at"`
	From    string    `json:"from"`
	To      []string  `json:"to"`
	Subject string    `json:"subject"`
	Text    string    `json:"text"`
}

// Webhook is one request that the mailbox received over HTTP.
type Webhook struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Path     string    `json:"path"`
	Delivery string    `json:"delivery"` // the sender's stable attempt id
	Body     string    `json:"body"`
}

// Mail is everything the mailbox holds, newest first.
type Mail struct {
	Emails   []Email   `json:"emails"`
	Webhooks []Webhook `json:"webhooks"`
}

// mailbox stands in for the mail server and the chat hook of a team: pages go
// out over real SMTP and HTTP and end here. It keeps what it got in a file, so
// that a restarted demo still has it.
type mailbox struct {
	mu   sync.Mutex
	mail Mail
	file *os.File
}

// record is one line of the mailbox's file: exactly one field is set.
type record struct {
	Email   *Email   `json:"email,omitempty"`
	Webhook *Webhook `json:"webhook,omitempty"`
}

func openMailbox(path string) (*mailbox, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the mailbox: %w", err)
	}
	m := &mailbox{file: f, mail: Mail{Emails: []Email{}, Webhooks: []Webhook{}}}
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 4<<20)
	for lines.Scan() {
		var r record
		if json.Unmarshal(lines.Bytes(), &r) == nil { // a line cut by a crash is not a message
			m.remember(r)
		}
	}
	return m, lines.Err()
}

func (m *mailbox) Close() error { return m.file.Close() }

func (m *mailbox) add(r record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if _, err := m.file.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("writing the mailbox: %w", err)
	}
	m.remember(r)
	return nil
}

func (m *mailbox) remember(r record) {
	if r.Email != nil {
		m.mail.Emails = prepend(m.mail.Emails, *r.Email)
	}
	if r.Webhook != nil {
		m.mail.Webhooks = prepend(m.mail.Webhooks, *r.Webhook)
	}
}

func prepend[T any](list []T, v T) []T {
	list = append([]T{v}, list...)
	return list[:min(len(list), maxMessages)]
}

// Mail returns a copy of what has arrived.
func (m *mailbox) Mail() Mail {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Mail{Emails: append([]Email{}, m.mail.Emails...), Webhooks: append([]Webhook{}, m.mail.Webhooks...)}
}

// ServeHTTP takes webhooks.
func (m *mailbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusRequestEntityTooLarge)
		return
	}
	hook := Webhook{ID: event.NewID(), At: time.Now().UTC(), Path: r.URL.Path, Delivery: r.Header.Get("X-Daytwo-Delivery"), Body: string(body)}
	if err := m.add(record{Webhook: &hook}); err != nil {
		http.Error(w, err.Error(), http.StatusInsufficientStorage)
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// serveSMTP takes mail on l until ctx ends.
func (m *mailbox) serveSMTP(ctx context.Context, l net.Listener) error {
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) {
		return &smtpSession{box: m}, nil
	}))
	server.Domain = "localhost"
	server.MaxMessageBytes = 1 << 20
	server.ReadTimeout, server.WriteTimeout = time.Minute, time.Minute
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	if err := server.Serve(l); ctx.Err() == nil && !errors.Is(err, smtp.ErrServerClosed) {
		return fmt.Errorf("mailbox: %w", err)
	}
	return nil
}

// smtpSession collects the envelope of one message.
type smtpSession struct {
	box  *mailbox
	from string
	to   []string
}

func (s *smtpSession) Mail(from string, _ *smtp.MailOptions) error { s.from = from; return nil }
func (s *smtpSession) Rcpt(to string, _ *smtp.RcptOptions) error   { s.to = append(s.to, to); return nil }
func (s *smtpSession) Reset()                                      { s.from, s.to = "", nil }
func (s *smtpSession) Logout() error                               { return nil }

func (s *smtpSession) Data(r io.Reader) error {
	m, err := pagerduty.ReadMail(r)
	if err != nil {
		return &smtp.SMTPError{Code: 554, Message: err.Error()}
	}
	mail := Email{ID: event.NewID(), At: time.Now().UTC(), From: s.from, To: s.to, Subject: m.Subject, Text: m.Text}
	return s.box.add(record{Email: &mail})
}
