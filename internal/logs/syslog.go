package logs

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/logs/syslog"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

const (
	syslogDoor     = "syslog"
	maxSyslogConns = 500
	syslogQuiet    = 10 * time.Minute // a connection that says nothing for so long is closed

	syslogHandshake = 10 * time.Second
)

// heard takes one message. It may come faster than it can be kept: then it is
// dropped and counted, as UDP would drop it anyway; a connection is made to wait.
func (l *Logs) heard(ctx context.Context, text, from string, wait bool) {
	if text == "" {
		return
	}
	now := l.now()
	m := syslog.Parse(text, now)
	e, notes := m.Event(from, now)
	l.note(syslogDoor, notes)
	if !wait {
		l.offer(syslogDoor, e)
		return
	}
	select {
	case l.offers <- offered{syslogDoor, e}:
	case <-ctx.Done():
	}
}

// serveSyslogUDP takes datagrams. Syslog knows no tokens: whoever reaches the
// address may send, which is why it is off until an address is given.
func (l *Logs) serveSyslogUDP(ctx context.Context, address string) error {
	conn, err := new(net.ListenConfig).ListenPacket(ctx, "udp", address)
	if err != nil {
		return problem.New(problem.Unavailable, "cannot listen on %s: %w", address, err).WithField("syslog-udp")
	}
	l.log.InfoContext(ctx, "listening", "door", "syslog-udp", "address", conn.LocalAddr().String())
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	buf := make([]byte, 64<<10)
	for {
		n, from, err := conn.ReadFrom(buf)
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			continue // one datagram; the socket lives on
		}
		host, _, _ := net.SplitHostPort(from.String()) // of an address
		l.heard(ctx, string(buf[:n]), host, false)
	}
}

// serveSyslogTCP takes connections, over TLS with a certificate.
func (l *Logs) serveSyslogTCP(ctx context.Context, address, setting string, config *tls.Config) error {
	ln, err := listen(ctx, address, setting)
	if err != nil {
		return err
	}
	l.log.InfoContext(ctx, "listening", "door", setting, "address", ln.Addr().String())
	if config != nil {
		ln = tls.NewListener(ln, config)
	}
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	var group sync.WaitGroup
	defer group.Wait()
	places := make(chan struct{}, maxSyslogConns)
	for {
		conn, err := ln.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			select { // out of descriptors, or a handshake that broke: try again soon
			case <-ctx.Done():
				return nil
			case <-time.After(50 * time.Millisecond):
			}
			continue
		}
		select {
		case places <- struct{}{}:
		default:
			l.counts.Refused(syslogDoor, "too many connections", 1)
			_ = conn.Close()
			continue
		}
		group.Go(func() {
			defer func() { <-places }()
			l.readSyslog(ctx, conn)
		})
	}
}

func (l *Logs) readSyslog(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	host, _, _ := net.SplitHostPort(conn.RemoteAddr().String()) // of an address
	if secure, ok := conn.(*tls.Conn); ok {
		_ = conn.SetDeadline(time.Now().Add(syslogHandshake))
		if err := secure.HandshakeContext(ctx); err != nil {
			l.counts.Refused(syslogDoor, "TLS handshake", 1)
			l.log.DebugContext(ctx, "syslog over TLS was refused", "from", host, "error", err)
			return
		}
	}
	frames := syslog.NewFrames(conn)
	for {
		_ = conn.SetDeadline(time.Now().Add(syslogQuiet))
		text, err := frames.Next()
		if errors.Is(err, syslog.ErrFrame) {
			l.counts.Refused(syslogDoor, "framing", 1)
			l.log.WarnContext(ctx, "a sender of syslog is cut off", "from", host, "error", err)
		}
		if err != nil {
			return
		}
		l.heard(ctx, text, host, true)
	}
}
