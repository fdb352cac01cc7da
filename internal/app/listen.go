package app

import (
	"context"
	"errors"
	"net"
	"strings"
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
func URL(l net.Listener) string { return urlOf(l.Addr().String()) }

// urlOf is how this machine reaches an address that is listened on.
func urlOf(address string) string {
	host, port, _ := net.SplitHostPort(address) // of a listener, or validated
	host, _, _ = strings.Cut(host, "%")         // a zone is no part of a URL's host
	if host == "" || net.ParseIP(host).IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// selfURL is where a server that listens on address shows its own metrics.
func selfURL(address string) string { return urlOf(address) + "/metrics" }
