package incident_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha1" // Twilio's signature is HMAC-SHA1
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

const reached = `
people:
  - name: ada
    contacts: [{channel: sms, address: "+33612345678"}, {channel: voice, address: "+33612345678"}]
    notify: {high: [{by: sms}, {by: voice, after: 10m}]}
  - {name: grace, contacts: [{channel: sms, address: "+4917612345678"}]}
escalation_policies:
  - {name: pay, levels: [{targets: [ada], after: 0s}, {targets: [grace], after: 30m}]}
services:
  - {name: checkout, escalation_policy: pay}
  - {name: payments, escalation_policy: pay}
`

// twilio is a provider as Twilio: it takes messages and calls, and tells what became of them by signed callbacks.
type twilio struct {
	mu    sync.Mutex
	taken []url.Values
	door  http.Handler
}

func (p *twilio) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	account, token, _ := r.BasicAuth()
	if err := r.ParseForm(); err != nil || account != "AC1" || token != "secret" {
		http.Error(w, "who are you", http.StatusUnauthorized)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.taken = append(p.taken, r.PostForm)
	w.WriteHeader(http.StatusCreated)
	_, _ = fmt.Fprint(w, `{"sid": "SM1", "status": "queued"}`)
}

func (p *twilio) all() []url.Values {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.taken)
}

// tell calls back about a message, signed with a token.
func (p *twilio) tell(t *testing.T, message url.Values, token string, fields url.Values) int {
	t.Helper()
	callback := message.Get("StatusCallback")
	keys := []string{}
	for key := range fields {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	signed := callback
	for _, key := range keys {
		signed += key + fields.Get(key)
	}
	mac := hmac.New(sha1.New, []byte(token))
	mac.Write([]byte(signed))
	r := httptest.NewRequest(http.MethodPost, strings.TrimPrefix(callback, "https://daytwo.example/answers"), strings.NewReader(fields.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	w := httptest.NewRecorder()
	p.door.ServeHTTP(w, r)
	return w.Code
}

// receipts hands what providers say to the incidents.
type receipts struct{ *incident.Incidents }

func (r receipts) Answer(context.Context, string, string, string) (string, error) { return "", nil }
func (r receipts) PersonOf(string) (string, bool)                                 { return "", false }
func (r receipts) Delivered(ctx context.Context, id string, arrived bool, detail string) error {
	return r.Receipt(ctx, id, arrived, detail)
}

func TestReceiptsOfAProvider(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		p := &twilio{}
		server := httptest.NewServer(p)
		t.Cleanup(server.Close)
		sender, err := notify.New(notify.Config{Phone: strings.Replace(server.URL, "://", "://AC1:secret@", 1) + "?from=+15550000000",
			AllowPrivate: true, PublicURL: "https://daytwo.example", Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		b := newBench(t, db, reached)
		b.Incidents, err = incident.New(t.Context(), incident.Config{DB: b.db, Timeline: b.timeline, Catalog: b.catalog, Sender: sender,
			PublicURL: "https://daytwo.example", AuditEvery: time.Hour, Logger: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		_, p.door = sender.Door(receipts{b.Incidents})
		stop := b.run(t)
		i := b.trigger(t, "a1", "checkout")
		status := func(page int) (p incident.Page) {
			if d := b.get(t, i.ID); len(d.Pages) > page {
				p = d.Pages[page]
			}
			return p
		}
		eventually(t, "the SMS is taken", func() bool { return status(0).Status == "sent" })
		sms := p.all()[0]
		if code := p.tell(t, sms, "forged", url.Values{"MessageStatus": {"undelivered"}}); code != http.StatusForbidden || status(0).Status != "sent" {
			t.Errorf("a forged receipt: %d, page %+v", code, status(0))
		}
		if code := p.tell(t, sms, "secret", url.Values{"MessageSid": {"SM1"}, "MessageStatus": {"sent"}}); code != http.StatusNoContent || status(0).Status != "sent" {
			t.Errorf("on its way: %d, page %+v", code, status(0))
		}
		for range 2 { // providers repeat themselves
			if code := p.tell(t, sms, "secret", url.Values{"MessageStatus": {"undelivered"}, "ErrorCode": {"30003"}}); code != http.StatusNoContent {
				t.Errorf("undelivered: %d", code)
			}
		}
		if got := status(0); got.Status != "exhausted" || got.Error != "the provider says that it did not arrive: undelivered (30003)" {
			t.Errorf("page %+v", got)
		}
		eventually(t, "the call goes out nine minutes early", func() bool { return status(1).Status == "sent" })
		call := p.all()[1]
		if call.Get("Twiml") == "" || call.Get("StatusCallback") != "https://daytwo.example/answers/phone/status?id="+status(1).ID {
			t.Errorf("call %v", call)
		}
		p.tell(t, call, "secret", url.Values{"CallStatus": {"completed"}})
		p.tell(t, call, "secret", url.Values{"CallStatus": {"failed"}}) // out of order: it was heard
		if got := status(1); got.Status != "delivered" {
			t.Errorf("page %+v", got)
		}
		d := b.get(t, i.ID)
		if got, want := actions(d), []string{"opened", "escalated", "paged", "failed", "paged", "delivered"}; !slices.Equal(got, want) {
			t.Errorf("log %q, want %q", got, want)
		}
		if last := d.Log[len(d.Log)-1].Text; last != "ada has the page by voice (+33…678): completed" {
			t.Errorf("log %q", last)
		}
		if d.NextStep == nil || d.NextStep.What != "page grace (level 2)" || time.Until(*d.NextStep.At) < 20*time.Minute {
			t.Errorf("next %+v", d.NextStep)
		}
		stop()
		if wrong := (&stage{bench: b, t: t}).check(); wrong != "" {
			t.Error(wrong)
		}
	})
}

// Whoever has no channel left is passed over at once, and when nobody is left that is said loudly.
func TestReceiptsMoveTheEscalationOn(t *testing.T) {
	inBubble(t, reached, func(t *testing.T, b *bench) {
		i := b.trigger(t, "a1", "checkout")
		pass(time.Minute)
		fail := func(message string) {
			t.Helper()
			if err := b.Receipt(t.Context(), message, false, "no-answer"); err != nil {
				t.Fatal(err)
			}
			pass(0)
		}
		fail(b.sender.all()[0].id) // the SMS
		fail(b.sender.all()[1].id) // the call that came at once
		all := b.sender.all()
		if len(all) != 3 || all[2].to != "+4917612345678" || all[2].at != all[0].at.Add(time.Minute) {
			t.Fatalf("messages %+v", all)
		}
		fail(all[2].id)
		if d := b.get(t, i.ID); d.Unreached == "" || !slices.Contains(actions(d), "unreachable") {
			t.Errorf("%q, log %q", d.Unreached, actions(d))
		}
		if err := b.Receipt(t.Context(), all[2].id, true, "delivered"); err != nil || b.get(t, i.ID).Pages[2].Status != "delivered" {
			t.Errorf("it arrived after all: %v", err)
		}
		if err := b.Receipt(t.Context(), "unknown", false, "failed"); err != nil {
			t.Errorf("a message that is not known: %v", err)
		}
	})
}

// What a provider says of an attempt that seemed to fail does not end the one after it.
func TestAReceiptOfTheAttemptBefore(t *testing.T) {
	inBubble(t, reached, func(t *testing.T, b *bench) {
		b.sender.fail = func(_ context.Context, _ notify.Address, try int) error {
			if try == 1 {
				return errBusy
			}
			return b.Receipt(context.Background(), b.sender.all()[0].id, false, "no-answer")
		}
		i := b.trigger(t, "a1", "checkout")
		pass(30 * time.Second)
		if d := b.get(t, i.ID); d.Pages[0].Attempts != 2 || d.Pages[0].Status != "sent" {
			t.Errorf("page %+v, log %q", d.Pages[0], actions(d))
		}
	})
}

// A receipt that overtakes the answer of the provider, or comes after somebody took the incident, does no harm.
func TestReceiptsThatComeEarlyOrLate(t *testing.T) {
	inBubble(t, reached, func(t *testing.T, b *bench) {
		b.sender.fail = func(_ context.Context, _ notify.Address, try int) error {
			if try > 1 {
				return nil
			}
			return b.Receipt(context.Background(), b.sender.all()[0].id, true, "early")
		}
		first := b.trigger(t, "a1", "checkout")
		pass(time.Second)
		if d := b.get(t, first.ID); d.Pages[0].Status != "delivered" || !slices.Equal(actions(d), []string{"opened", "escalated", "paged", "delivered"}) {
			t.Errorf("page %+v, log %q", d.Pages[0], actions(d))
		}
		pass(time.Minute)
		second := b.trigger(t, "b1", "payments")
		pass(time.Second)
		if _, err := b.Acknowledge(t.Context(), second.ID, "ada"); err != nil {
			t.Fatal(err)
		}
		if err := b.Receipt(t.Context(), b.get(t, second.ID).Pages[0].ID, false, "busy"); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		d := b.get(t, second.ID)
		if n := len(b.sender.toward("+4917612345678")); n != 1 || d.Pages[0].Status != "exhausted" || d.Status != incident.Acknowledged {
			t.Errorf("%d pages of level 2 (one is of the first incident), %+v %s", n, d.Pages, d.Status)
		}
		synctest.Wait()
	})
}
