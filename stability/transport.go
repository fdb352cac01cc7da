package stability

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// StatusError is how policies see an answer that tells of a failing server:
// 429 and 5xx but 501. Callers of [Transport] do not see it: they get the
// answer itself.
type StatusError struct {
	Code       int
	RetryAfter time.Duration // what the server asked for; 0 if nothing
}

func (e *StatusError) Error() string {
	return fmt.Sprintf("status %d %s", e.Code, http.StatusText(e.Code))
}

// Transport wraps next (nil: [http.DefaultTransport]) in policies, outermost
// first. An answer 429 or 5xx is a failure to them; if it is still the last
// word it is returned as the answer it is.
//
// A request is made again, or twice at once, only if that is safe: its method
// is idempotent or it has an Idempotency-Key, or the connection could not be
// made, and its body can be rewound.
//
// The server is told how long the caller will wait
// (X-Envoy-Expected-Rq-Timeout-Ms) and how important the request is (Priority,
// RFC 9218); [Handler] understands both.
func Transport(next http.RoundTripper, policies ...Policy) http.RoundTripper {
	if next == nil {
		next = http.DefaultTransport
	}
	return &transport{next: next, policy: Compose(policies...)}
}

type transport struct {
	next   http.RoundTripper
	policy Policy
}

func (t *transport) RoundTrip(req *http.Request) (*http.Response, error) {
	x := &exchange{via: t.next, req: req}
	err := run(req.Context(), t.policy, x)
	if !x.sent && req.Body != nil {
		req.Body.Close() // as the contract of RoundTripper demands
	}
	if err == nil && x.resp != nil || errors.As(err, new(*StatusError)) && x.resp != nil {
		return x.resp, nil
	}
	x.discard()
	if err == nil {
		err = errNoAnswer
	}
	if p := (*permanentError)(nil); errors.As(err, &p) {
		err = p.err
	}
	return nil, err
}

// errNoAnswer: a fallback cannot make an answer up.
var errNoAnswer = errors.New("a policy swallowed the error of a request; there is no answer")

// exchange is the target of one RoundTrip. What a policy holds for a call (a
// deadline, a place) must outlive the call until the answer's body has been
// read.
type exchange struct {
	via  http.RoundTripper
	req  *http.Request
	sent bool // the request's own body has been used

	resp *http.Response
	body *heldBody
}

func (x *exchange) attempt(ctx context.Context) error {
	x.discard()
	r := prepare(ctx, x.req)
	if x.sent && x.req.GetBody != nil {
		body, err := x.req.GetBody()
		if err != nil {
			return Permanent(err)
		}
		r.Body = body
	}
	x.sent = true
	resp, err := x.via.RoundTrip(r) //nolint:bodyclose // the body is the caller's, or drained before the next attempt
	if err != nil {
		if op := (*net.OpError)(nil); rewindable(x.req) && errors.As(err, &op) && op.Op == "dial" {
			return err // nothing was sent
		}
		return permanentUnless(replayable(x.req), err)
	}
	x.hold(resp)
	if resp.StatusCode != http.StatusTooManyRequests &&
		(resp.StatusCode < 500 || resp.StatusCode == http.StatusNotImplemented) {
		return nil
	}
	return permanentUnless(replayable(x.req),
		&StatusError{Code: resp.StatusCode, RetryAfter: retryAfter(resp.Header)})
}

// deadlineHeader is Envoy's word for how many milliseconds a caller waits.
const deadlineHeader = "X-Envoy-Expected-Rq-Timeout-Ms"

// prepare makes the request of one attempt.
func prepare(ctx context.Context, req *http.Request) *http.Request {
	at, bounded := ctx.Deadline()
	priority := PriorityOf(ctx)
	to := BackendOf(ctx)
	if !bounded && priority == Normal && to == nil {
		return req.WithContext(ctx)
	}
	r := req.Clone(ctx)
	if bounded {
		r.Header.Set(deadlineHeader, strconv.FormatInt(max(1, time.Until(at).Milliseconds()), 10))
	}
	if r.Header.Get(priorityHeader) == "" {
		setPriorityHeader(r.Header, priority)
	}
	if to != nil {
		if r.Host == "" {
			r.Host = r.URL.Host
		}
		r.URL.Scheme, r.URL.Host = to.Scheme, to.Host
	}
	return r
}

func (x *exchange) fork() target {
	if !replayable(x.req) {
		return nil
	}
	return &exchange{via: x.via, req: x.req, sent: true}
}

func (x *exchange) adopt(fork target) {
	f := fork.(*exchange)
	x.discard()
	x.resp, x.body = f.resp, f.body
}

func rewindable(req *http.Request) bool {
	return req.Body == nil || req.Body == http.NoBody || req.GetBody != nil
}

func replayable(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodPut, http.MethodDelete:
		return rewindable(req)
	}
	return rewindable(req) && req.Header.Get("Idempotency-Key") != ""
}

// retryAfter reads delay-seconds or an HTTP date (RFC 9110, 10.2.3).
func retryAfter(h http.Header) time.Duration {
	v := h.Get("Retry-After")
	if s, err := strconv.Atoi(v); err == nil && s > 0 {
		return time.Duration(min(s, 86400)) * time.Second
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// whenConsumed calls release when the answer has been read or thrown away,
// and at once if there is none.
func (x *exchange) whenConsumed(release func()) {
	if x.body == nil {
		release()
		return
	}
	x.body.releases = append(x.body.releases, release)
}

func (x *exchange) hold(resp *http.Response) {
	x.resp, x.body = resp, &heldBody{ReadCloser: resp.Body}
	if w, ok := resp.Body.(io.Writer); ok { // 101 Switching Protocols
		resp.Body = struct {
			*heldBody
			io.Writer
		}{x.body, w}
		return
	}
	resp.Body = x.body
}

// discard throws an answer away that a later attempt replaces, after reading
// a little of it so that its connection can be used again.
func (x *exchange) discard() {
	if x.resp == nil {
		return
	}
	_, _ = io.CopyN(io.Discard, x.resp.Body, 4<<10)
	x.resp.Body.Close()
	x.resp, x.body = nil, nil
}

type heldBody struct {
	io.ReadCloser
	once     sync.Once
	releases []func()
}

func (b *heldBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil {
		b.release()
	}
	return n, err
}

func (b *heldBody) Close() error {
	defer b.release()
	return b.ReadCloser.Close()
}

func (b *heldBody) release() {
	b.once.Do(func() {
		for _, f := range b.releases {
			f()
		}
	})
}
