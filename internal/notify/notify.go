// Package notify carries messages to people over channels (e-mail, SMS, calls, web push, chats, webhooks) and takes their answers: by
// link, button, reply or digit, each proved by a token or a signature. It sends once and says how it went; whether and
// when to try again is the caller's decision, for which Permanent tells hopeless failures from passing ones.
package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// The channels.
const (
	Email    = "email"
	Webhook  = "webhook"
	SMS      = "sms"
	Voice    = "voice"
	Push     = "push"
	Slack    = "slack"
	Teams    = "teams"
	Discord  = "discord"
	Telegram = "telegram"
	Ntfy     = "ntfy"
)

// Channels are all of them.
func Channels() []string {
	return []string{Email, Webhook, SMS, Voice, Push, Slack, Teams, Discord, Telegram, Ntfy}
}

// timeout bounds one send, from the look-up of the name to the answer.
const timeout = 15 * time.Second

// Address is where one channel reaches somebody.
type Address struct {
	Channel string `json:"channel"` // one of Channels
	To      string `json:"to"`      // an e-mail address, a number, a chat, a URL or a push subscription; URLs may hold a secret, see String
}

// String is the address as it may be shown and logged: a webhook without its path, which is often the secret, and of numbers and
// e-mail addresses, which are people's own, only what tells one from another.
func (a Address) String() string {
	switch {
	case a.Channel == Push:
		return "a browser"
	case strings.Contains(a.To, "://"):
		u, err := url.Parse(a.To)
		if err != nil {
			return a.Channel
		}
		return u.Scheme + "://" + u.Host + "/…"
	case a.Channel == Email:
		at := strings.LastIndex(a.To, "@")
		return ends(a.To[:max(at, 0)], 1, 0) + a.To[max(at, 0):]
	case a.Channel == SMS, a.Channel == Voice:
		return ends(a.To, 3, 3)
	case a.Channel == Telegram:
		return ends(a.To, 0, 3)
	}
	return a.To
}

// ends leaves of a text its first and last characters, and no more than half of it.
func ends(text string, first, last int) string {
	r := []rune(text)
	for 2*(first+last) > len(r) && first+last > 0 {
		first, last = first/2, last-1
		last = max(last, 0)
	}
	return string(r[:first]) + "…" + string(r[len(r)-last:])
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
	Answers []Answer
	Number  int64 // what people call the incident, for replies; 0: none
	// Together is how many pages the message carries, when several; Number is then that of the worst.
	Together int
	Quiet    bool // it need not ring
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
	// Phone is https://ACCOUNT:TOKEN@api.twilio.com?from=%2B15551234567, or another API that speaks like it. Empty: SMS and calls fail.
	Phone         string
	SlackToken    string           // of a bot, xoxb-…; empty: only incoming webhooks work
	SlackSecret   string           // proves that buttons are Slack's; empty: they are refused
	TelegramToken string           // of a bot
	PushKey       []byte           // signs web push, see NewPushKey; empty: web push fails
	Sealer        Sealer           // makes the tokens of answers; nil: messages have none
	PublicURL     string           // of daytwo, for links and what providers call back
	Now           func() time.Time // nil: time.Now
	Logger        *slog.Logger
	Registerer    prometheus.Registerer // nil keeps the metrics unregistered
}

// Notifier sends.
type Notifier struct {
	email       *mailer // nil: not configured
	webhook     *poster
	chat        *chat
	phone       *phone // nil: not configured
	push        *push  // nil: not configured
	slackSecret string
	sealer      Sealer
	publicURL   string
	now         func() time.Time
	log         *slog.Logger
	sends       *prometheus.CounterVec
	duration    *prometheus.HistogramVec
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
			Name: "daytwo_notify_sends_total", Help: "Attempts to send a message, by channel and result (sent, failed, refused: failed for good, stopped: broken off from here).",
		}, []string{"channel", "result"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "daytwo_notify_duration_seconds", Help: "How long attempts to send took.", Buckets: prometheus.ExponentialBuckets(0.005, 3, 8),
		}, []string{"channel"}),
	}
	for _, channel := range []string{Email, Webhook} { // the others appear with their first message
		for _, result := range []string{"sent", "failed", "refused"} {
			n.sends.WithLabelValues(channel, result)
		}
	}
	if err := n.open(c); err != nil {
		return nil, err
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

// Send tries once. nil means the server or receiver has taken the message. An attempt that the caller breaks off, by ending ctx, says
// nothing about the receiver and does not count as a failure.
func (n *Notifier) Send(ctx context.Context, to Address, m Message) error {
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	started := time.Now()
	err := n.send(within, to, m)
	result := "sent"
	switch {
	case err != nil && errors.Is(ctx.Err(), context.Canceled):
		result = "stopped"
	case Permanent(err):
		result = "refused"
	case err != nil:
		result = "failed"
	}
	n.sends.WithLabelValues(to.Channel, result).Inc()
	if result != "stopped" {
		n.duration.WithLabelValues(to.Channel).Observe(time.Since(started).Seconds())
	}
	n.log.Debug("message sent", "channel", to.Channel, "to", to.String(), "id", m.ID, "result", result, "err", err)
	return err
}

// maxSubject is how many characters of a subject any channel says: where more would not fit, what is left out must be the words and not
// the way to answer.
const maxSubject = 400

func (n *Notifier) send(ctx context.Context, to Address, m Message) error {
	m.Subject = cut(m.Subject, maxSubject)
	switch {
	case to.Channel == Email && n.email == nil:
		return permanentf("e-mail is not set up: give the address of an SMTP server")
	case to.Channel == Email:
		return n.email.send(ctx, to.To, withLinks(m))
	case to.Channel == Webhook:
		return n.webhook.send(ctx, to.To, m)
	case (to.Channel == SMS || to.Channel == Voice) && n.phone == nil:
		return permanentf("no provider for SMS and calls is set up")
	case to.Channel == Push && n.push == nil:
		return permanentf("web push is not set up")
	}
	send := map[string]func(context.Context, string, Message) error{
		Slack: n.chat.slack, Teams: n.chat.teams, Discord: n.chat.discord, Telegram: n.chat.telegram, Ntfy: n.chat.ntfy,
	}
	if n.phone != nil {
		send[SMS], send[Voice] = n.phone.sms, n.phone.call
	}
	if n.push != nil {
		send[Push] = n.push.send
	}
	if send[to.Channel] == nil {
		return permanentf("there is no channel %q", to.Channel)
	}
	return send[to.Channel](ctx, to.To, m)
}

// open sets up the channels beside e-mail and webhooks, and how answers come back.
func (n *Notifier) open(c Config) (err error) {
	n.sealer, n.publicURL, n.slackSecret, n.now = c.Sealer, strings.TrimSuffix(c.PublicURL, "/"), c.SlackSecret, c.Now
	if n.now == nil {
		n.now = time.Now
	}
	n.chat = &chat{client: n.webhook.client, slackToken: c.SlackToken, slackAPI: "https://slack.com/api", telegramToken: c.TelegramToken, telegramAPI: "https://api.telegram.org",
		buttons: c.SlackSecret != ""}
	// A provider that the administrator names may be anywhere; addresses of people are guarded.
	if c.Phone != "" {
		if n.phone, err = newPhone(c.Phone, n.publicURL, newPoster(true, "").client); err != nil {
			return err
		}
	}
	if len(c.PushKey) > 0 {
		n.push, err = newPush(c.PushKey, cmp.Or(n.publicURL, "https://daytwo.invalid"), n.webhook.client)
	}
	return err
}

// PushPublicKey is what browsers subscribe with; empty if web push is not set up.
func (n *Notifier) PushPublicKey() string {
	if n.push == nil {
		return ""
	}
	return n.push.public()
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
