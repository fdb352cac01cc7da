package logs

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"net"
	"os"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Listeners are the addresses of doors that cannot share the server's: empty
// ones are off.
type Listeners struct {
	Elasticsearch string // Elasticsearch at its root
	OTLP          string // OTLP over gRPC; ListenerOff: none
	OTLPByDefault bool   // nobody asked for OTLP: an address that is taken is told of and ends nothing
	SyslogUDP     string
	SyslogTCP     string
	SyslogTLS     string
	SyslogCert    string // files in PEM, for SyslogTLS; read again when they have changed
	SyslogKey     string
	SyslogCA      string // file in PEM with the authorities of senders' certificates; empty: whoever reaches SyslogTLS may send
}

// ListenerOff closes a door that is open by default.
const ListenerOff = "off"

// OTLPAddress is where exporters of OTLP over gRPC send by default, on this
// machine alone.
const OTLPAddress = "127.0.0.1:4317"

// Validate says which address is none.
func (a Listeners) Validate() error {
	for _, one := range []struct{ setting, address string }{
		{"elasticsearch-listener", a.Elasticsearch}, {"otlp-listener", a.OTLP}, {"syslog-udp", a.SyslogUDP}, {"syslog-tcp", a.SyslogTCP}, {"syslog-tls", a.SyslogTLS},
	} {
		if one.address == "" || one.setting == "otlp-listener" && one.address == ListenerOff {
			continue
		}
		if _, _, err := net.SplitHostPort(one.address); err != nil {
			return problem.New(problem.Invalid, "%s: %v", one.setting, err).WithField(one.setting).WithMend("give host:port, for example 127.0.0.1:5514")
		}
	}
	if a.SyslogTLS != "" && (a.SyslogCert == "" || a.SyslogKey == "") {
		return problem.New(problem.Invalid, "syslog over TLS needs a certificate and its key").WithField("syslog-tls").
			WithMend("give --syslog-cert and --syslog-key, files in PEM")
	}
	if a.SyslogCA != "" && a.SyslogTLS == "" {
		return problem.New(problem.Invalid, "certificates of senders are asked for only over TLS").WithField("syslog-ca").
			WithMend("give --syslog-tls too, or leave --syslog-ca out")
	}
	return nil
}

// tls is how syslog is taken over TLS (RFC 5425), nil if it is not. The
// certificate is read now, and again when its file has changed: certificates are
// renewed while the server runs.
func (a Listeners) tls() (*tls.Config, error) {
	if a.SyslogTLS == "" {
		return nil, nil
	}
	own := &certificate{cert: a.SyslogCert, key: a.SyslogKey}
	if _, err := own.get(nil); err != nil {
		return nil, err
	}
	config := &tls.Config{GetCertificate: own.get, MinVersion: tls.VersionTLS12}
	if a.SyslogCA == "" {
		return config, nil
	}
	data, err := os.ReadFile(a.SyslogCA)
	if err != nil {
		return nil, problem.New(problem.Invalid, "the authorities of syslog's senders: %w", err).WithField("syslog-ca").WithMend("give a file in PEM with --syslog-ca")
	}
	config.ClientCAs, config.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !config.ClientCAs.AppendCertsFromPEM(data) {
		return nil, problem.New(problem.Invalid, "%s holds no certificate", a.SyslogCA).WithField("syslog-ca").WithMend("give a file in PEM with --syslog-ca")
	}
	return config, nil
}

// certificate is a pair of files that may be renewed.
type certificate struct {
	cert, key string

	mu   sync.Mutex
	pair *tls.Certificate
	at   time.Time // when the file of pair was changed
}

// get is for tls.Config. While the renewed files do not belong together, as
// between the writing of one and of the other, the pair before stays in use.
func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	info, err := os.Stat(c.cert)
	if err == nil && c.pair != nil && info.ModTime().Equal(c.at) {
		return c.pair, nil
	}
	pair, failed := tls.LoadX509KeyPair(c.cert, c.key)
	switch {
	case err == nil && failed == nil:
		c.pair, c.at = &pair, info.ModTime()
	case c.pair == nil:
		return nil, problem.New(problem.Invalid, "the certificate of syslog: %w", cmp.Or(err, failed)).WithField("syslog-cert").
			WithMend("give the certificate and its key, files in PEM, with --syslog-cert and --syslog-key")
	}
	return c.pair, nil
}
