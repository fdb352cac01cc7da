package host

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/exp/api/remote"
	writev2 "github.com/prometheus/client_golang/exp/api/remote/genproto/v2"
)

// sender takes one request to the server; its error says that the server
// refused it, or that ctx ended.
type sender func(context.Context, *writev2.Request, func(error)) error

// newSender sends by the client library of the protocol, which tries again, with
// growing pauses, as long as the server does not answer or says that it cannot now.
func newSender(c Config) (sender, error) {
	client := *c.Client
	client.Transport = bearer{c.Token, client.Transport}
	api, err := remote.NewAPI(strings.TrimSuffix(c.URL, "/"),
		remote.WithAPIPath("/prometheus/api/v1/write"),
		remote.WithAPIHTTPClient(&client),
		remote.WithAPIBackoff(remote.BackoffConfig{Min: time.Second, Max: 30 * time.Second}),
	)
	if err != nil {
		return nil, fmt.Errorf("prepare the client of remote write: %w", err)
	}
	return func(ctx context.Context, r *writev2.Request, retried func(error)) error {
		_, err := api.Write(ctx, remote.WriteV2MessageType, r, remote.WithWriteRetryCallback(retried))
		return err
	}, nil
}

// sendAll sends what is queued until ctx ends. The log has one line when the
// server cannot be reached and one when it can be again.
func (h *Host) sendAll(ctx context.Context) {
	down := false
	retried := func(err error) {
		if !down {
			h.cfg.Logger.WarnContext(ctx, "the host's metrics wait: the server does not take them", "url", h.cfg.URL, "error", err)
		}
		down = true
	}
	for {
		r, ok := h.queue.pop(ctx)
		if !ok {
			return
		}
		err := h.send(ctx, r, retried)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			h.counts.refused.Inc()
			if !down {
				h.cfg.Logger.ErrorContext(ctx, "the server refuses the host's metrics; is the token right?", "url", h.cfg.URL, "error", err)
			}
			down = true
		default:
			h.counts.sent.Inc()
			if down {
				h.cfg.Logger.InfoContext(ctx, "the server takes the host's metrics again", "url", h.cfg.URL)
			}
			down = false
		}
	}
}

// bearer puts the token on each request.
type bearer struct {
	token string
	next  http.RoundTripper
}

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	next := b.next
	if next == nil {
		next = http.DefaultTransport
	}
	if b.token != "" {
		r = r.Clone(r.Context())
		r.Header.Set("Authorization", "Bearer "+b.token)
	}
	return next.RoundTrip(r)
}
