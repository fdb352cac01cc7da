package pagerduty_test

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/store"
)

// hook is a receiver of webhooks that checks their signature.
type hook struct {
	t       *testing.T
	url     string
	secret  string
	mu      sync.Mutex
	got     []delivered
	failing int
	refuses bool
}

type delivered struct {
	header http.Header
	event  map[string]any
}

func newHook(t *testing.T) *hook {
	h := &hook{t: t}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	h.url = server.URL
	return h
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.failing > 0 {
		h.failing--
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	if h.refuses {
		w.WriteHeader(http.StatusGone)
		return
	}
	body, _ := io.ReadAll(r.Body)
	mac := hmac.New(sha256.New, []byte(h.secret))
	mac.Write(body)
	if want := "v1=" + hex.EncodeToString(mac.Sum(nil)); r.Header.Get("X-PagerDuty-Signature") != want {
		h.t.Errorf("signature %q, want %q", r.Header.Get("X-PagerDuty-Signature"), want)
	}
	var in struct {
		Event map[string]any `json:"event"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		h.t.Error(err)
	}
	h.got = append(h.got, delivered{r.Header, in.Event})
}

func (h *hook) fail(n int) { h.mu.Lock(); h.failing = n; h.mu.Unlock() }

func (h *hook) refuse(yes bool) { h.mu.Lock(); h.refuses = yes; h.mu.Unlock() }

func (h *hook) all() []delivered {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.got)
}

func (h *hook) types() (list []string) {
	for _, d := range h.all() {
		list = append(list, d.event["event_type"].(string))
	}
	return list
}

// hurry makes the deliveries that wait for another attempt due.
func (r *rig) hurry(t *testing.T) {
	err := r.db.Write(context.Background(), func(tx *store.Tx) error {
		_, err := tx.Exec(context.Background(), `UPDATE webhook_deliveries SET next_at = 1 WHERE status = 'pending'`)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	r.api.Ring()
}

// call is a call of the REST API with the token.
func (r *rig) call(t *testing.T, method, path, body string) (int, map[string]any) {
	t.Helper()
	req, err := http.NewRequest(method, r.url+"/pagerduty"+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Token token=secret")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	var answer map[string]any
	if len(bytes.TrimSpace(raw)) > 0 {
		if err := json.Unmarshal(raw, &answer); err != nil {
			t.Fatalf("%s answers %q", path, raw)
		}
	}
	return res.StatusCode, answer
}
