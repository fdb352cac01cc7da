package notify

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	netmail "net/mail"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/wneessen/go-mail"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// mailer sends each message over a connection of its own: pages are few, and a connection kept open is one that has died unseen.
type mailer struct {
	host    string
	tls     bool // from the start; else as options say
	options []mail.Option
	from    *netmail.Address
	domain  string // of the sender, for Message-IDs
}

func newMailer(server, from string) (*mailer, error) {
	u, err := url.Parse(server)
	if err != nil || u.Hostname() == "" || (u.Scheme != "smtp" && u.Scheme != "smtps") {
		return nil, problem.New(problem.Invalid, "the address of the SMTP server is not an smtp:// or smtps:// URL").
			WithMend("write smtp://user:password@mail.example.com:587")
	}
	sender, err := netmail.ParseAddress(from)
	if err != nil {
		return nil, problem.New(problem.Invalid, "%q cannot be the sender of e-mail", from).WithMend("write daytwo@example.com")
	}
	m := &mailer{host: u.Hostname(), from: sender, domain: sender.Address[strings.LastIndex(sender.Address, "@")+1:]}
	m.options = []mail.Option{mail.WithTimeout(timeout), mail.WithoutNoop()}
	if u.User != nil {
		password, _ := u.User.Password()
		m.options = append(m.options, mail.WithUsername(u.User.Username()), mail.WithPassword(password),
			mail.WithSMTPAuth(mail.SMTPAuthAutoDiscover))
	}
	if u.Scheme == "smtps" {
		// Opportunistic: the library, which leaves dialling to us, then looks and finds that the connection is encrypted.
		m.tls, m.options = true, append(m.options, mail.WithTLSPolicy(mail.TLSOpportunistic), mail.WithPort(mail.DefaultPortSSL))
	} else {
		policy, err := tlsPolicy(u.Query().Get("tls"), m.host)
		if err != nil {
			return nil, err
		}
		m.options = append(m.options, mail.WithTLSPortPolicy(policy))
	}
	if u.Port() != "" { // after the policies, which set a port of their own
		port, err := strconv.Atoi(u.Port())
		if err != nil {
			return nil, problem.New(problem.Invalid, "%q is not a port", u.Port())
		}
		m.options = append(m.options, mail.WithPort(port))
	}
	_, err = mail.NewClient(m.host, m.options...)
	if err != nil {
		return nil, problem.New(problem.Invalid, "the SMTP settings do not fit together: %w", err)
	}
	return m, nil
}

// tlsPolicy demands encryption unless told otherwise or the server is on this machine.
func tlsPolicy(asked, host string) (mail.TLSPolicy, error) {
	switch {
	case asked == "none", asked == "" && onLoopback(host):
		return mail.NoTLS, nil
	case asked == "opportunistic":
		return mail.TLSOpportunistic, nil
	case asked == "", asked == "required":
		return mail.TLSMandatory, nil
	}
	return 0, problem.New(problem.Invalid, "tls=%s is not known", asked).WithMend("use tls=required, opportunistic or none")
}

func onLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (m *mailer) send(ctx context.Context, to string, message Message) error {
	msg, err := m.compose(to, message)
	if err != nil {
		return permanent{err}
	}
	// The library looks at ctx only while it dials: closing the connection ends a send that takes too long or is not wanted any more.
	var stop func() bool
	client, err := mail.NewClient(m.host, append(slices.Clip(m.options), mail.WithDialContextFunc(
		func(dialCtx context.Context, network, address string) (net.Conn, error) {
			conn, err := m.dial(dialCtx, network, address)
			if err == nil {
				stop = context.AfterFunc(ctx, func() { conn.Close() })
			}
			return conn, err
		}))...)
	if err != nil {
		return permanent{err}
	}
	err = client.DialAndSendWithContext(ctx, msg)
	if stop != nil {
		stop()
	}
	if err == nil || msg.IsDelivered() { // the server has taken it; how the connection ended does not matter
		return nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", ctx.Err(), err)
	}
	return classify(err)
}

// maxAnswers bounds what a mail server may say while it takes one message.
const maxAnswers = 1 << 20 // bytes

func (m *mailer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	raw, err := new(net.Dialer).DialContext(ctx, network, address)
	if err != nil {
		return nil, err
	}
	conn := &terse{raw, io.LimitedReader{R: raw, N: maxAnswers}}
	if !m.tls {
		return conn, nil
	}
	secured := tls.Client(conn, &tls.Config{ServerName: m.host, MinVersion: tls.VersionTLS12})
	if err := secured.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, fmt.Errorf("TLS with the mail server: %w", err)
	}
	return secured, nil
}

// terse is a connection whose other end may say only so much.
type terse struct {
	net.Conn
	heard io.LimitedReader
}

func (t *terse) Read(b []byte) (int, error) { return t.heard.Read(b) }

// classify calls permanent what the server answered with a 5xx to this message.
func classify(err error) error {
	failed, ok := errors.AsType[*mail.SendError](err)
	if ok && !failed.IsTemp() && failed.ErrorCode() >= 500 {
		return permanent{err}
	}
	return err
}

func (m *mailer) compose(to string, message Message) (*mail.Msg, error) {
	msg := mail.NewMsg()
	if err := msg.FromFormat(m.from.Name, m.from.Address); err != nil {
		return nil, fmt.Errorf("sender: %w", err)
	}
	if err := msg.To(to); err != nil {
		return nil, fmt.Errorf("recipient: %w", err)
	}
	msg.Subject(strings.Join(strings.Fields(message.Subject), " "))
	msg.SetMessageIDWithValue(message.ID + "@" + m.domain)
	if message.Thread != "" { // no message has this id: it only holds those of the thread together, whichever arrives first
		root := "<" + message.Thread + "@" + m.domain + ">"
		msg.SetGenHeader(mail.HeaderInReplyTo, root)
		msg.SetGenHeader(mail.HeaderReferences, root)
	}
	msg.SetDate()
	msg.SetGenHeader("Auto-Submitted", "auto-generated") // RFC 3834: no out-of-office replies
	msg.SetBodyString(mail.TypeTextPlain, message.Text)
	if message.HTML != "" {
		msg.AddAlternativeString(mail.TypeTextHTML, message.HTML)
	}
	return msg, nil
}
