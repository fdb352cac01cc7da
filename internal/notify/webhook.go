package notify

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// politeness is how long the body of an answer is listened to.
const politeness = time.Second

// Headers of a webhook.
const (
	// DeliveryHeader carries Message.ID: the same in every attempt.
	DeliveryHeader = "X-Daytwo-Delivery"
	// SignatureHeader carries "v1=" and the hexadecimal HMAC-SHA256 of the raw body under the webhook secret.
	SignatureHeader = "X-Daytwo-Signature"
)

// Sign is the value of SignatureHeader for a body. Receivers compare it in constant time.
func Sign(secret string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(body)
	return "v1=" + hex.EncodeToString(mac.Sum(nil))
}

// poster posts JSON. It follows no redirects, goes through no proxy (which would dial in its place) and keeps no connections.
type poster struct {
	client *http.Client
	secret string
}

func newPoster(allowPrivate bool, secret string) *poster {
	dialer := &net.Dialer{Timeout: 5 * time.Second}
	if !allowPrivate {
		dialer.Control = refusePrivate
	}
	return &poster{secret: secret, client: &http.Client{
		Transport: &http.Transport{
			DialContext:            dialer.DialContext,
			TLSHandshakeTimeout:    5 * time.Second,
			MaxResponseHeaderBytes: 64 << 10,
			DisableKeepAlives:      true,
			ForceAttemptHTTP2:      true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (p *poster) send(ctx context.Context, to string, m Message) error {
	body, err := json.Marshal(m.Data)
	if err != nil {
		return permanentf("the body of the webhook: %w", err)
	}
	u, err := url.Parse(to)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return permanentf("the address of the webhook is not an http or https URL")
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return permanentf("the address of the webhook is not an http or https URL")
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "daytwo")
	req.Header.Set(DeliveryHeader, m.ID)
	if p.secret != "" {
		req.Header.Set(SignatureHeader, Sign(p.secret, body))
	}
	res, err := p.client.Do(req)
	if err != nil {
		return withoutURL(u, err)
	}
	defer res.Body.Close()
	// The status has said it all. A short answer is read so that the receiver sees a clean end; a long or slow one is cut off.
	defer time.AfterFunc(politeness, cancel).Stop()
	_, _ = io.CopyN(io.Discard, res.Body, 64<<10)
	return judge(u.Host, res.StatusCode)
}

// withoutURL keeps the path and query of the webhook, often its secret, out of the error.
func withoutURL(u *url.URL, err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	err = fmt.Errorf("post to %s: %w", u.Host, err)
	if errors.Is(err, errPrivate) {
		return permanent{err}
	}
	return err
}

// judge reads the status of the answer: any 2xx is a delivery, what asks for patience or broke on the other side may pass, the
// rest will be the same next time.
func judge(host string, status int) error {
	switch {
	case status >= 200 && status < 300:
		return nil
	case status >= 300 && status < 400:
		return permanentf("%s answered %d: redirects are not followed, give the final address", host, status)
	case status == http.StatusRequestTimeout, status == http.StatusTooEarly, status == http.StatusTooManyRequests, status >= 500:
		return fmt.Errorf("%s answered %d %s", host, status, http.StatusText(status))
	}
	return permanentf("%s answered %d %s", host, status, http.StatusText(status))
}
