// Package notify carries messages to people over channels: e-mail and webhooks. It sends once and says how it went; whether and
// when to try again is the caller's decision, for which Permanent tells hopeless failures from passing ones.
package notify

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The channels.
const (
	Email   = "email"
	Webhook = "webhook"
)

// timeout bounds one send, from the look-up of the name to the answer.
const timeout = 15 * time.Second

// Address is where one channel reaches somebody.
type Address struct {
	Channel string `json:"channel"` // Email or Webhook
	To      string `json:"to"`      // an e-mail address or a URL; the URL may hold a secret, see String
}

// String is the address as it may be shown and logged: a webhook without its path, which is often the secret.
func (a Address) String() string {
	if a.Channel != Webhook {
		return a.To
	}
	u, err := url.Parse(a.To)
	if err != nil {
		return "webhook"
	}
	return u.Scheme + "://" + u.Host + "/…"
}

// Message is what to say. Each channel takes the parts it can show.
type Message struct {
	ID      string // of this need to tell: the same in every attempt, so that a receiver can drop duplicates
	Thread  string // what it is about: mail programs show the messages of one thread together; empty: nothing else
	Subject string
	Text    string
	HTML    string
	URL     string // where to read on
	Data    any    // the JSON body of a webhook
}

// Config says how to send.
type Config struct {
	// SMTP is smtp://user:password@host:port or smtps://… (TLS from the start). With smtp, STARTTLS is demanded, except from a
	// server on loopback; ?tls=required, opportunistic or none says otherwise. Empty: e-mail fails with a message that says so.
	SMTP string
	From string // sender of e-mail, `name@host` or `Name <name@host>`
	// AllowPrivate lets webhooks reach loopback, private and link-local addresses. Without it they are refused when dialling,
	// after the name is resolved.
	AllowPrivate  bool
	WebhookSecret string // signs webhooks, see SignatureHeader; empty: unsigned
	Logger        *slog.Logger
	Registerer    prometheus.Registerer // nil keeps the metrics unregistered
}

// Notifier sends.
type Notifier struct {
	email    *mailer // nil: not configured
	webhook  *poster
	log      *slog.Logger
	sends    *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// New checks the configuration. It connects to nothing.
func New(c Config) (*Notifier, error) {
	if c.Logger == nil {
		return nil, errors.New("notify: Config needs Logger")
	}
	n := &Notifier{
		webhook: newPoster(c.AllowPrivate, c.WebhookSecret),
		log:     c.Logger,
		sends: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "daytwo_notify_sends_total", Help: "Attempts to send a message, by channel and result (sent, failed, refused: failed for good).",
		}, []string{"channel", "result"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "daytwo_notify_duration_seconds", Help: "How long attempts to send took.", Buckets: prometheus.ExponentialBuckets(0.005, 3, 8),
		}, []string{"channel"}),
	}
	for _, channel := range []string{Email, Webhook} {
		for _, result := range []string{"sent", "failed", "refused"} {
			n.sends.WithLabelValues(channel, result)
		}
	}
	if c.SMTP != "" {
		var err error
		if n.email, err = newMailer(c.SMTP, c.From); err != nil {
			return nil, err
		}
	}
	if c.Registerer == nil {
		return n, nil
	}
	for _, m := range []prometheus.Collector{n.sends, n.duration} {
		if err := c.Registerer.Register(m); err != nil {
			return nil, fmt.Errorf("notify: %w", err)
		}
	}
	return n, nil
}

// Send tries once. nil means the server or receiver has taken the message.
func (n *Notifier) Send(ctx context.Context, to Address, m Message) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	started := time.Now()
	err := n.send(ctx, to, m)
	result := "sent"
	switch {
	case Permanent(err):
		result = "refused"
	case err != nil:
		result = "failed"
	}
	n.sends.WithLabelValues(to.Channel, result).Inc()
	n.duration.WithLabelValues(to.Channel).Observe(time.Since(started).Seconds())
	n.log.Debug("message sent", "channel", to.Channel, "to", to.String(), "id", m.ID, "result", result, "err", err)
	return err
}

func (n *Notifier) send(ctx context.Context, to Address, m Message) error {
	switch {
	case to.Channel == Email && n.email == nil:
		return permanentf("e-mail is not set up: give the address of an SMTP server")
	case to.Channel == Email:
		return n.email.send(ctx, to.To, m)
	case to.Channel == Webhook:
		return n.webhook.send(ctx, to.To, m)
	}
	return permanentf("there is no channel %q", to.Channel)
}

// permanent marks a failure that the same message to the same address would meet again.
type permanent struct{ error }

func (p permanent) Unwrap() error { return p.error }

func permanentf(format string, args ...any) error { return permanent{fmt.Errorf(format, args...)} }

// Permanent tells whether trying again is pointless.
func Permanent(err error) bool {
	_, ok := errors.AsType[permanent](err)
	return ok
}
