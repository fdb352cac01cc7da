package logs

import (
	"crypto/tls"
	"net"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Listeners are the addresses of doors that cannot share the server's: empty
// ones are off.
type Listeners struct {
	Elasticsearch string // Elasticsearch at its root
	OTLP          string // OTLP over gRPC
	SyslogUDP     string
	SyslogTCP     string
	SyslogTLS     string
	SyslogCert    string // files in PEM, for SyslogTLS
	SyslogKey     string
}

// Validate says which address is none.
func (a Listeners) Validate() error {
	for _, one := range []struct{ setting, address string }{
		{"elasticsearch-listener", a.Elasticsearch}, {"otlp-listener", a.OTLP}, {"syslog-udp", a.SyslogUDP}, {"syslog-tcp", a.SyslogTCP}, {"syslog-tls", a.SyslogTLS},
	} {
		if one.address == "" {
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
	return nil
}

// tls reads the certificate of syslog.
func (a Listeners) tls() (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(a.SyslogCert, a.SyslogKey)
	if err != nil {
		return nil, problem.New(problem.Invalid, "the certificate of syslog: %w", err).WithField("syslog-cert")
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, nil
}
