package app

import (
	"fmt"
	"log/slog"
	"net"
	"net/mail"
	"net/url"
	"strconv"
	"time"

	"github.com/daytwo-dev/daytwo/internal/eventdb"
	"github.com/daytwo-dev/daytwo/internal/logs"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Config is everything that differs between two daytwo processes. What
// describes operations (services, rules, workloads) is not here: it lives in
// the files of ConfigDir.
type Config struct {
	Listen        string        // host:port to serve on
	PublicURL     string        // how people and services reach this server; empty: from the bound address
	TrustProxy    bool          // a proxy in front says who the client is (X-Forwarded-For) and whether it came over TLS (X-Forwarded-Proto)
	DataDir       string        // everything daytwo writes
	ConfigDir     string        // the operations directory; empty: none
	Standby       bool          // wait for a PostgreSQL database that another process uses, and take over when it ends
	DatabaseURL   string        // postgres://… for the state; empty: SQLite in DataDir
	AdminToken    string        // bearer token with every right; empty: none
	SecretKey     string        // 32 bytes in base64 that seal secrets at rest; empty: a key file in DataDir
	SMTPURL       string        // smtp[s]://user:password@host:port to send e-mail; empty: e-mail is not sent
	MailFrom      string        // sender of e-mail
	WebhookSecret string        // signs outgoing webhooks; empty: unsigned
	AllowPrivate  bool          // outgoing webhooks may reach private and loopback addresses
	RequireIngest bool          // sending data needs a token on this machine too
	PhoneURL      string        // https://ACCOUNT:TOKEN@api.twilio.com?from=%2B1555…, for SMS and calls; empty: neither
	SlackToken    string        // of a Slack bot; empty: only incoming webhooks
	SlackSecret   string        // proves that buttons are Slack's; empty: they are links
	TelegramToken string        // of a Telegram bot
	Retention     time.Duration // how long samples are kept
	HostMetrics   bool          // this machine is measured too, as the job "node"
	EventSync     string        // when events are made durable: always, before they are acknowledged, or interval, each second
	Runs          int           // runs executing at once
	// HeartbeatURL is fetched every minute as long as every open incident has a next step; empty: none.
	HeartbeatURL   string
	StrictSeverity bool          // events with a severity that is not known are refused
	EventsPerKey   int           // events a minute that one key may send; 0: no limit
	Grace          time.Duration // how long a stop may take
	LogLevel       slog.Level    // the least that is logged

	// What there may be of metric series in memory. Beyond, no new one begins and those that exist go on; 0: any.
	MaxSeries          int
	MaxSeriesPerMetric int // of one name

	MailListener string         // address that takes e-mail as events; empty: none
	LogListeners logs.Listeners // addresses of doors for logs that cannot share Listen

	// What is kept of events.
	EventRetention time.Duration // how long; 0: for ever
	EventMaxMiB    int           // MiB on disk, the oldest go first; 0: any
}

// MinRetention is the shortest time that samples can be kept.
const MinRetention = time.Hour

// Validate says what is wrong with c, naming the setting and the mend.
func (c Config) Validate() error {
	_, port, err := net.SplitHostPort(c.Listen)
	if _, bad := strconv.ParseUint(port, 10, 16); err == nil && bad != nil {
		err = fmt.Errorf("port %q is not a number up to 65535", port)
	}
	if err != nil {
		return problem.New(problem.Invalid, "listen address %q: %v", c.Listen, err).
			WithField("listen").WithMend("give host:port, for example 127.0.0.1:2020")
	}
	if _, _, err := net.SplitHostPort(c.MailListener); c.MailListener != "" && err != nil {
		return problem.New(problem.Invalid, "mail listener %q: %v", c.MailListener, err).
			WithField("mail-listener").WithMend("give host:port, for example 127.0.0.1:2525")
	}
	if c.DataDir == "" {
		return problem.New(problem.Invalid, "no data directory given").
			WithField("data").WithMend("set --data or DAYTWO_DATA")
	}
	for _, u := range []struct {
		field, value string
		schemes      []string
	}{
		{"public-url", c.PublicURL, []string{"http", "https"}},
		{"database-url", c.DatabaseURL, []string{"postgres", "postgresql"}},
		{"heartbeat-url", c.HeartbeatURL, []string{"http", "https"}},
		{"smtp-url", c.SMTPURL, []string{"smtp", "smtps"}},
	} {
		if err := checkURL(u.field, u.value, u.schemes); err != nil {
			return err
		}
	}
	if _, err := mail.ParseAddress(c.MailFrom); c.MailFrom != "" && err != nil {
		return problem.New(problem.Invalid, "sender %q is not an e-mail address: %v", c.MailFrom, err).
			WithField("mail-from").WithMend("give daytwo@example.com, or Name <daytwo@example.com>")
	}
	switch {
	case c.Retention < MinRetention:
		return problem.New(problem.Invalid, "retention %s is shorter than an hour", c.Retention).
			WithField("retention").WithMend("give at least 1h, for example 15d")
	case c.MaxSeries < 0:
		return problem.New(problem.Invalid, "there cannot be %d series", c.MaxSeries).
			WithField("max-series").WithMend("give a positive number, or 0 for no limit")
	case c.MaxSeriesPerMetric < 0:
		return problem.New(problem.Invalid, "a metric cannot have %d series", c.MaxSeriesPerMetric).
			WithField("max-series-per-metric").WithMend("give a positive number, or 0 for no limit")
	case c.EventSync != "" && c.EventSync != string(eventdb.SyncAlways) && c.EventSync != string(eventdb.SyncInterval):
		return problem.New(problem.Invalid, "events cannot be synced %q", c.EventSync).
			WithField("event-sync").WithMend("give always or interval with --event-sync or DAYTWO_EVENT_SYNC")
	case c.EventRetention < 0:
		return problem.New(problem.Invalid, "event retention %s is negative", c.EventRetention).
			WithField("event-retention").WithMend("give for example 30d, or 0 to keep events for ever")
	case c.EventMaxMiB < 0:
		return problem.New(problem.Invalid, "events cannot take %d MiB", c.EventMaxMiB).
			WithField("event-max-mib").WithMend("give a positive number, or 0 for no limit")
	case c.Runs < 1 || c.Runs > 256:
		return problem.New(problem.Invalid, "%d runs at once is out of range", c.Runs).
			WithField("runs").WithMend("give 1 to 256")
	case c.Standby && c.DatabaseURL == "":
		return problem.New(problem.Invalid, "standing by needs a PostgreSQL database that processes share").
			WithField("standby").WithMend("set --database-url, or leave --standby out")
	case c.EventsPerKey < 0:
		return problem.New(problem.Invalid, "%d events a minute is negative", c.EventsPerKey).
			WithField("events-per-key").WithMend("give 0 for no limit")
	case c.Grace <= 0:
		return problem.New(problem.Invalid, "grace time %s is not positive", c.Grace).
			WithField("grace").WithMend("give for example 20s")
	}
	return c.LogListeners.Validate()
}

// checkURL never repeats the value: it may hold a password.
func checkURL(field, value string, schemes []string) error {
	if value == "" {
		return nil
	}
	u, err := url.Parse(value)
	if err == nil && (u.Host != "" || field == "database-url" && u.Query().Get("host") != "") { // a socket's directory
		for _, s := range schemes {
			if u.Scheme == s {
				return nil
			}
		}
	}
	return problem.New(problem.Invalid, "%s is not a URL that daytwo understands", field).
		WithField(field).WithMend("%s", fmt.Sprintf("give %s://host…", schemes[0]))
}
