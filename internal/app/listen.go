package app

import (
	"context"
	"errors"
	"net"
	"strconv"
	"syscall"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Listen takes address for the server, or says who it is that cannot have it.
// It comes before everything else at start: a second server on the same address
// must not touch anything.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
	if err == nil {
		return l, nil
	}
	mend := "give another address with --listen or DAYTWO_LISTEN, for example 127.0.0.1:2020"
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		mend = "another process serves there; stop it, or give another address with --listen or DAYTWO_LISTEN"
	case errors.Is(err, syscall.EACCES):
		mend = "ports below 1024 need a privilege; give a higher one with --listen or DAYTWO_LISTEN"
	}
	return nil, problem.New(problem.Unavailable, "cannot listen on %s: %w", address, err).WithField("listen").WithMend("%s", mend)
}

// URL is how this machine reaches l.
func URL(l net.Listener) string {
	host, port := "127.0.0.1", 0
	if a, ok := l.Addr().(*net.TCPAddr); ok {
		port = a.Port
		if !a.IP.IsUnspecified() {
			host = a.IP.String()
		}
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(port))
}
