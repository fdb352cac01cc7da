package cli

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/daytwo-dev/daytwo/internal/app"
	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// logLevelEnv is the variable of the log level, of the server and the agent.
const logLevelEnv = "DAYTWO_LOG_LEVEL"

// setting is one knob of the server: a flag, a variable, a default. The list
// in serverSettings is the only place that knows them; flags, environment,
// `daytwo config` and the help texts are made from it.
type setting struct {
	flag, env string
	usage     string
	secret    bool
	bare      string // value of the flag given without one
	get       func(*app.Config) string
	set       func(*app.Config, string) error
}

func serverSettings() []setting {
	return []setting{
		text("listen", "DAYTWO_LISTEN", "address to serve on, host:port (PORT alone: all interfaces)", func(c *app.Config) *string { return &c.Listen }),
		text("public-url", "DAYTWO_PUBLIC_URL", "URL under which people reach this server (in pages, mails, links)", func(c *app.Config) *string { return &c.PublicURL }),
		boolean("trust-proxy", "DAYTWO_TRUST_PROXY", "believe X-Forwarded-For and -Proto of the proxy in front; without one, anybody could write them", func(c *app.Config) *bool { return &c.TrustProxy }),
		text("data", "DAYTWO_DATA", "directory for everything daytwo writes", func(c *app.Config) *string { return &c.DataDir }),
		text("config", "DAYTWO_CONFIG", "operations directory: daytwo.yml, prometheus.yml, workloads/", func(c *app.Config) *string { return &c.ConfigDir }),
		secret("database-url", "DAYTWO_DATABASE_URL", "postgres:// URL for the state (default: SQLite in the data directory)", func(c *app.Config) *string { return &c.DatabaseURL }),
		boolean("standby", "DAYTWO_STANDBY", "wait for a PostgreSQL database that another process uses, and take over when that ends", func(c *app.Config) *bool { return &c.Standby }),
		secret("", "DAYTWO_ADMIN_TOKEN", "bearer token with every right, for automation", func(c *app.Config) *string { return &c.AdminToken }),
		secret("", "DAYTWO_SECRET_KEY", "32 bytes in base64 that seal secrets at rest (default: a key file in the data directory)", func(c *app.Config) *string { return &c.SecretKey }),
		secret("smtp-url", "DAYTWO_SMTP_URL", "smtp:// or smtps:// URL to send e-mail through", func(c *app.Config) *string { return &c.SMTPURL }),
		text("mail-from", "DAYTWO_MAIL_FROM", "sender of e-mail", func(c *app.Config) *string { return &c.MailFrom }),
		secret("", "DAYTWO_WEBHOOK_SECRET", "key that signs outgoing webhooks", func(c *app.Config) *string { return &c.WebhookSecret }),
		boolean("allow-private-webhooks", "DAYTWO_ALLOW_PRIVATE_WEBHOOKS", "outgoing webhooks may reach private and loopback addresses", func(c *app.Config) *bool { return &c.AllowPrivate }),
		secret("", "DAYTWO_PHONE_URL", "https://ACCOUNT:TOKEN@api.twilio.com?from=%2B15551234567, or an API that speaks like it, for SMS and calls", func(c *app.Config) *string { return &c.PhoneURL }),
		secret("", "DAYTWO_SLACK_TOKEN", "token of a Slack bot, to write to channels and people", func(c *app.Config) *string { return &c.SlackToken }),
		secret("", "DAYTWO_SLACK_SIGNING_SECRET", "signing secret of the Slack app, so that its buttons work", func(c *app.Config) *string { return &c.SlackSecret }),
		secret("", "DAYTWO_TELEGRAM_TOKEN", "token of a Telegram bot", func(c *app.Config) *string { return &c.TelegramToken }),
		boolean("require-ingest-token", "DAYTWO_REQUIRE_INGEST_TOKEN", "sending data needs a token from this machine too, as it does from others", func(c *app.Config) *bool { return &c.RequireIngest }),
		duration("retention", "DAYTWO_RETENTION", "how long samples are kept", func(c *app.Config) *time.Duration { return &c.Retention }),
		integer("max-series", "DAYTWO_MAX_SERIES", "most metric series in memory; beyond, no new one begins and those that exist go on; 0: no limit", func(c *app.Config) *int { return &c.MaxSeries }),
		integer("max-series-per-metric", "DAYTWO_MAX_SERIES_PER_METRIC", "most series in memory of one metric name; 0: no limit", func(c *app.Config) *int { return &c.MaxSeriesPerMetric }),
		boolean("host-metrics", "DAYTWO_HOST_METRICS", "measure this machine too, under node_exporter's names", func(c *app.Config) *bool { return &c.HostMetrics }),
		secret("heartbeat-url", "DAYTWO_HEARTBEAT_URL", "URL fetched every minute while every open incident has a next step, somebody could be told of each, and no event waits", func(c *app.Config) *string { return &c.HeartbeatURL }),
		boolean("strict-severity", "DAYTWO_STRICT_SEVERITY", "refuse events with a severity that is not known, rather than take them for errors", func(c *app.Config) *bool { return &c.StrictSeverity }),
		integer("events-per-key", "DAYTWO_EVENTS_PER_KEY", "events a minute that one integration key may send; 0: no limit", func(c *app.Config) *int { return &c.EventsPerKey }),
		text("mail-listener", "DAYTWO_MAIL_LISTENER", "address that takes e-mail to KEY@anything as an event of that integration, for example 127.0.0.1:2525", func(c *app.Config) *string { return &c.MailListener }),
		text("event-sync", "DAYTWO_EVENT_SYNC", "when events are made durable: always (before they are acknowledged) or interval (each second)", func(c *app.Config) *string { return &c.EventSync }),
		text("elasticsearch-listener", "DAYTWO_ELASTICSEARCH_LISTENER", "address of a second door for Elasticsearch clients, at its root, for example 127.0.0.1:9200", func(c *app.Config) *string { return &c.LogListeners.Elasticsearch }),
		otlpListener(),
		text("syslog-udp", "DAYTWO_SYSLOG_UDP", "address that takes syslog datagrams, for example 127.0.0.1:5514; whoever reaches it may send", func(c *app.Config) *string { return &c.LogListeners.SyslogUDP }),
		text("syslog-tcp", "DAYTWO_SYSLOG_TCP", "address that takes syslog over TCP; whoever reaches it may send", func(c *app.Config) *string { return &c.LogListeners.SyslogTCP }),
		text("syslog-tls", "DAYTWO_SYSLOG_TLS", "address that takes syslog over TLS; whoever reaches it may send", func(c *app.Config) *string { return &c.LogListeners.SyslogTLS }),
		text("syslog-cert", "DAYTWO_SYSLOG_CERT", "certificate of syslog over TLS, a file in PEM", func(c *app.Config) *string { return &c.LogListeners.SyslogCert }),
		text("syslog-key", "DAYTWO_SYSLOG_KEY", "its key, a file in PEM", func(c *app.Config) *string { return &c.LogListeners.SyslogKey }),
		text("syslog-ca", "DAYTWO_SYSLOG_CA", "authorities of the certificates that senders of syslog over TLS must have, a file in PEM (default: whoever reaches it may send)", func(c *app.Config) *string { return &c.LogListeners.SyslogCA }),
		duration("event-retention", "DAYTWO_EVENT_RETENTION", "how long events are kept; 0: for ever", func(c *app.Config) *time.Duration { return &c.EventRetention }),
		integer("event-max-mib", "DAYTWO_EVENT_MAX_MIB", "MiB that events may take on disk, the oldest go first; 0: no limit", func(c *app.Config) *int { return &c.EventMaxMiB }),
		integer("runs", "DAYTWO_RUNS", "runs executing at once", func(c *app.Config) *int { return &c.Runs }),
		duration("grace", "DAYTWO_GRACE", "how long a stop may take", func(c *app.Config) *time.Duration { return &c.Grace }),
		{flag: "log-level", env: logLevelEnv, usage: "least level that is logged: debug, info, warn or error",
			get: func(c *app.Config) string { return strings.ToLower(c.LogLevel.String()) },
			set: func(c *app.Config, v string) (err error) { c.LogLevel, err = logLevel(v); return err }},
	}
}

func defaultConfig() app.Config {
	return app.Config{
		Listen:       "127.0.0.1:2020",
		DataDir:      defaultDataDir("data"),
		MailFrom:     "daytwo@localhost",
		Retention:    15 * 24 * time.Hour,
		HostMetrics:  true,
		EventSync:    "always",
		EventsPerKey: 3000,
		Runs:         4,
		Grace:        20 * time.Second,

		EventRetention: 30 * 24 * time.Hour,

		LogListeners: logs.Listeners{OTLP: logs.OTLPAddress, OTLPByDefault: true},
	}
}

// defaultDataDir is $XDG_STATE_HOME/daytwo/name, or its usual place.
func defaultDataDir(name string) string {
	state := os.Getenv("XDG_STATE_HOME")
	if state == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "" // Validate then asks for --data
		}
		state = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(state, "daytwo", name)
}

// addServerFlags defines one flag for each setting that has one.
func addServerFlags(flags *pflag.FlagSet) {
	defaults := defaultConfig()
	for _, s := range serverSettings() {
		if s.flag == "" {
			continue
		}
		flags.String(s.flag, "", fmt.Sprintf("%s [%s]%s", s.usage, s.env, shownDefault(s.get(&defaults))))
		flags.Lookup(s.flag).NoOptDefVal = s.bare
	}
}

func shownDefault(value string) string {
	if value == "" || value == "false" {
		return ""
	}
	return " (default " + value + ")"
}

// loadConfig resolves every setting: flag, then variable, then default.
// It returns where each came from, for `daytwo config`.
func loadConfig(flags *pflag.FlagSet, defaults app.Config, getenv func(string) string) (app.Config, map[string]string, error) {
	c := defaults
	source := map[string]string{}
	if port := getenv("PORT"); port != "" {
		c.Listen = allInterfaces(port)
		source["DAYTWO_LISTEN"] = "PORT"
	}
	for _, s := range serverSettings() {
		value, from := getenv(s.env), s.env
		if s.flag != "" && flags.Changed(s.flag) {
			value, from = flags.Lookup(s.flag).Value.String(), "--"+s.flag
		}
		if value == "" {
			continue
		}
		if err := s.set(&c, value); err != nil {
			return c, nil, usage(problem.New(problem.Invalid, "%s: %v", from, err).WithField(from))
		}
		source[s.env] = from
	}
	if err := c.Validate(); err != nil {
		return c, nil, usage(err)
	}
	return c, source, nil
}

// allInterfaces is the address that PORT alone asks for.
func allInterfaces(port string) string {
	if port == "" {
		return ""
	}
	return net.JoinHostPort("", port)
}

// listenAddress is where a server without flags would listen here.
func listenAddress(getenv func(string) string) string {
	return firstOf(getenv("DAYTWO_LISTEN"), allInterfaces(getenv("PORT")), defaultConfig().Listen)
}

// otlpListener has a default that may be taken by another collector; an address
// that somebody gave may not.
func otlpListener() setting {
	s := text("otlp-listener", "DAYTWO_OTLP_LISTENER", "address that takes OTLP over gRPC, or off; over HTTP it is always taken", func(c *app.Config) *string { return &c.LogListeners.OTLP })
	given := s.set
	s.set = func(c *app.Config, v string) error {
		c.LogListeners.OTLPByDefault = false
		return given(c, v)
	}
	return s
}

func text(flag, env, usage string, at func(*app.Config) *string) setting {
	return setting{flag: flag, env: env, usage: usage,
		get: func(c *app.Config) string { return *at(c) },
		set: func(c *app.Config, v string) error { *at(c) = v; return nil }}
}

func secret(flag, env, usage string, at func(*app.Config) *string) setting {
	s := text(flag, env, usage, at)
	s.secret = true
	return s
}

func boolean(flag, env, usage string, at func(*app.Config) *bool) setting {
	return setting{flag: flag, env: env, usage: usage, bare: "true",
		get: func(c *app.Config) string { return strconv.FormatBool(*at(c)) },
		set: func(c *app.Config, v string) (err error) {
			if *at(c), err = strconv.ParseBool(v); err != nil {
				return fmt.Errorf("%q is neither true nor false", v)
			}
			return nil
		}}
}

func integer(flag, env, usage string, at func(*app.Config) *int) setting {
	return setting{flag: flag, env: env, usage: usage,
		get: func(c *app.Config) string { return strconv.Itoa(*at(c)) },
		set: func(c *app.Config, v string) (err error) {
			if *at(c), err = strconv.Atoi(v); err != nil {
				return fmt.Errorf("%q is not a whole number", v)
			}
			return nil
		}}
}

func duration(flag, env, usage string, at func(*app.Config) *time.Duration) setting {
	return setting{flag: flag, env: env, usage: usage,
		get: func(c *app.Config) string { return at(c).String() },
		set: func(c *app.Config, v string) (err error) { *at(c), err = event.ParseDuration(v); return err }}
}
