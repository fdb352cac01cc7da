package logs_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/logs"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

// authority signs certificates of a test and writes them as files.
type authority struct {
	t    *testing.T
	dir  string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	a := &authority{t: t, dir: t.TempDir()}
	a.key, a.cert = a.issue("ca", &x509.Certificate{IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, nil)
	return a
}

func (a *authority) path(name string) string { return filepath.Join(a.dir, name) }

// sign makes name.pem and name.key for this machine.
func (a *authority) sign(name string) {
	a.issue(name, &x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}}, a.cert)
}

func (a *authority) issue(name string, cert, parent *x509.Certificate) (*ecdsa.PrivateKey, *x509.Certificate) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		a.t.Fatal(err)
	}
	cert.SerialNumber, cert.Subject = serial, pkix.Name{CommonName: name}
	cert.NotBefore, cert.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	signer := a.key
	if parent == nil {
		parent, signer = cert, key
	}
	der, err := x509.CreateCertificate(rand.Reader, cert, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	secret, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{".pem": {Type: "CERTIFICATE", Bytes: der}, ".key": {Type: "EC PRIVATE KEY", Bytes: secret}} {
		if err := os.WriteFile(a.path(name+file), pem.EncodeToMemory(block), 0o600); err != nil {
			a.t.Fatal(err)
		}
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return key, parsed
}

// trusts is a sender that trusts the authority, with a certificate of its own if it is named.
func (a *authority) trusts(own string) *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	config := &tls.Config{RootCAs: pool}
	if own != "" {
		pair, err := tls.LoadX509KeyPair(a.path(own+".pem"), a.path(own+".key"))
		if err != nil {
			a.t.Fatal(err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	return config
}

func tlsRig(t *testing.T, a *authority, change func(*logs.Listeners)) (r *rig, address string) {
	t.Helper()
	r = newRig(t, func(c *logs.Config) {
		c.Listeners = logs.Listeners{SyslogTLS: "127.0.0.1:0", SyslogCert: a.path("server.pem"), SyslogKey: a.path("server.key")}
		if change != nil {
			change(&c.Listeners)
		}
	})
	stop, ended := r.run(t)
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return r, <-r.found
}

// transmit sends text over TLS and returns when the server has read all of it and closed.
func transmit(t *testing.T, address string, config *tls.Config, chunks ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	for _, chunk := range chunks { // each is a record of its own
		if _, err := io.WriteString(conn, chunk); err != nil {
			return err
		}
	}
	if err := conn.(*tls.Conn).CloseWrite(); err != nil {
		return err
	}
	_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, err = conn.Read(make([]byte, 1))
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

func octets(message string) string { return fmt.Sprintf("%d %s", len(message), message) }

// Messages are framed as RFC 5425 says, wherever the records of TLS cut them, and may hold lines.
func TestSyslogOverTLS(t *testing.T) {
	a := newAuthority(t)
	a.sign("server")
	r, address := tlsRig(t, a, nil)
	long := `<11>1 2026-01-02T03:04:05Z web1 app 7 ID [ex a="b"] ` + strings.Repeat("x", 20_000) + "\nand a second line"
	all := octets(long) + octets("<14>1 2026-01-02T03:04:06Z web1 app - - - short") + "<14>Jan  2 03:04:07 web1 cron: ended by its line\n"
	if err := transmit(t, address, a.trusts(""), all[:3], all[3:9000], all[9000:]); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return r.kept.count() == 3 })
	kept := r.kept.all()
	if got := kept[0].Get("message").String(); len(got) != 20_018 || !strings.HasSuffix(got, "\nand a second line") {
		t.Errorf("the long message has %d bytes and ends in %q", len(got), got[max(0, len(got)-20):])
	}
	if got := kept[0].Get("syslog.data.ex.a").String(); got != "b" {
		t.Errorf("its data: %q", got)
	}
	if got := kept[2].Get("service.name").String(); got != "cron" {
		t.Errorf("the service of the last is %q", got)
	}

	plain, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer plain.Close()
	fmt.Fprint(plain, octets("<14>1 - - - - - - not encrypted"))
	_ = plain.SetReadDeadline(time.Now().Add(20 * time.Second))
	_, _ = io.Copy(io.Discard, plain) // until the server has hung up
	if err := transmit(t, address, a.trusts(""), "99999999 <14>1 endless"); err != nil {
		t.Fatal(err)
	}
	r.refused(t, `daytwo_logs_refused_total{door="syslog",reason="TLS handshake"} 1`, `daytwo_logs_refused_total{door="syslog",reason="framing"} 1`)
	if n := r.kept.count(); n != 3 {
		t.Errorf("%d messages were kept, want 3", n)
	}
}

// With an authority only senders that it signed are heard.
func TestSyslogSendersWithCertificates(t *testing.T) {
	a, other := newAuthority(t), newAuthority(t)
	a.sign("server")
	a.sign("sender")
	other.sign("sender")
	r, address := tlsRig(t, a, func(l *logs.Listeners) { l.SyslogCA = a.path("ca.pem") })
	stranger := a.trusts("")
	stranger.Certificates = other.trusts("sender").Certificates
	for name, config := range map[string]*tls.Config{"none": a.trusts(""), "another authority's": stranger} {
		if err := transmit(t, address, config, octets("<14>1 - - - - - - hello")); err == nil {
			t.Errorf("with %s certificate the sender is heard", name)
		}
	}
	if err := transmit(t, address, a.trusts("sender"), octets("<14>1 - - - - - - hello")); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return r.kept.count() == 1 })
}

// A certificate is renewed while the server runs; half of a renewal changes nothing.
func TestSyslogCertificateIsRenewed(t *testing.T) {
	a := newAuthority(t)
	a.sign("server")
	_, address := tlsRig(t, a, nil)
	serial := func() *big.Int {
		t.Helper()
		conn, err := tls.Dial("tcp", address, a.trusts(""))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].SerialNumber
	}
	first := serial()
	key, err := os.ReadFile(a.path("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	a.sign("server")
	renewed, err := os.ReadFile(a.path("server.key"))
	if err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Minute)
	if err := errors.Join(os.WriteFile(a.path("server.key"), key, 0o600), os.Chtimes(a.path("server.pem"), later, later)); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got.Cmp(first) != 0 {
		t.Error("a certificate without its key is shown")
	}
	if err := os.WriteFile(a.path("server.key"), renewed, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := serial(); got.Cmp(first) == 0 {
		t.Error("the renewed certificate is not shown")
	}
}

// What cannot serve is refused before anything starts.
func TestSyslogSettings(t *testing.T) {
	a := newAuthority(t)
	a.sign("server")
	if err := os.WriteFile(a.path("empty"), bytes.Repeat([]byte("x"), 9), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, l := range map[string]logs.Listeners{
		"needs a certificate":            {SyslogTLS: "127.0.0.1:0"},
		"asked for only over TLS":        {SyslogCA: a.path("ca.pem")},
		"the certificate of syslog":      {SyslogTLS: "127.0.0.1:0", SyslogCert: a.path("empty"), SyslogKey: a.path("server.key")},
		"holds no certificate":           {SyslogTLS: "127.0.0.1:0", SyslogCert: a.path("server.pem"), SyslogKey: a.path("server.key"), SyslogCA: a.path("empty")},
		"the authorities of syslog's se": {SyslogTLS: "127.0.0.1:0", SyslogCert: a.path("server.pem"), SyslogKey: a.path("server.key"), SyslogCA: a.path("none")},
	} {
		_, err := logs.New(t.Context(), logs.Config{DB: storetest.New(t), Events: &kept{}, Tokens: tokens{}, Listeners: l})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q, got %v", want, err)
		}
	}
}
