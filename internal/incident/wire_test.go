package incident_test

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"

	"github.com/emersion/go-smtp"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/store/storetest"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// mailSession hands every message to a channel.
type mailSession chan string

func (mailSession) Mail(string, *smtp.MailOptions) error { return nil }
func (mailSession) Rcpt(string, *smtp.RcptOptions) error { return nil }
func (mailSession) Reset()                               {}
func (mailSession) Logout() error                        { return nil }
func (s mailSession) Data(r io.Reader) error {
	text, err := io.ReadAll(r)
	s <- string(text)
	return err
}

func newMailServer(t *testing.T) (mails mailSession, url string) {
	t.Helper()
	mails = make(mailSession, 1)
	server := smtp.NewServer(smtp.BackendFunc(func(*smtp.Conn) (smtp.Session, error) { return mails, nil }))
	server.Domain = "mail.example"
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(l) }()
	t.Cleanup(func() { server.Close(); <-served })
	return mails, "smtp://" + l.Addr().String()
}

// From a trigger to a real mail server and a real webhook.
func TestOverTheWire(t *testing.T) {
	storetest.Each(t, func(t *testing.T, db *store.DB) {
		mails, mailURL := newMailServer(t)
		hooks, bodies := make(chan *http.Request, 1), make(chan []byte, 1)
		hook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			bodies <- body
			hooks <- r
		}))
		t.Cleanup(hook.Close)

		quiet := slog.New(slog.DiscardHandler)
		sender, err := notify.New(notify.Config{SMTP: mailURL, From: "daytwo <pager@example.com>",
			AllowPrivate: true, WebhookSecret: "s3cret", Logger: quiet})
		if err != nil {
			t.Fatal(err)
		}
		b := newBench(t, db, shop)
		c, findings := catalog.Parse("f", []byte(strings.ReplaceAll(shop, "http://hooks.example.com/ada-secret", hook.URL+"/ada")))
		if problem.Broken(findings) {
			t.Fatal(findings)
		}
		b.catalog.Replace(c)
		reg := prometheus.NewRegistry()
		b.Incidents, err = incident.New(t.Context(), incident.Config{DB: b.db, Timeline: b.timeline, Catalog: b.catalog, Sender: sender,
			PublicURL: "http://daytwo.example", Logger: quiet, Registerer: reg})
		if err != nil {
			t.Fatal(err)
		}
		err = db.Write(t.Context(), func(tx *store.Tx) error {
			return b.timeline.Append(t.Context(), tx, &timeline.Entry{Kind: timeline.Change, Action: "deploy", Service: "checkout", Title: "checkout v2 deployed"})
		})
		if err != nil {
			t.Fatal(err)
		}
		stop := b.run(t)
		i := b.trigger(t, "a1", "checkout")
		m, err := mail.ReadMessage(strings.NewReader(<-mails))
		if err != nil {
			t.Fatal(err)
		}
		body, r := <-bodies, <-hooks
		eventually(t, "both pages are sent", func() bool {
			d := b.get(t, i.ID)
			return d.Pages[0].Status == "sent" && d.Pages[1].Status == "sent"
		})
		stop()
		pages := b.get(t, i.ID).Pages
		if got := m.Header.Get("Message-ID"); got != fmt.Sprintf("<%s@example.com>", pages[0].ID) {
			t.Errorf("Message-ID %s, page %s", got, pages[0].ID)
		}
		if r.Header.Get(notify.DeliveryHeader) != pages[1].ID || r.Header.Get(notify.SignatureHeader) != notify.Sign("s3cret", body) {
			t.Errorf("webhook headers %v", r.Header)
		}
		var p incident.Payload
		if err := json.Unmarshal(body, &p); err != nil || p.Incident.ID != i.ID || p.Page.Person != "ada" ||
			len(p.Changes) != 1 || p.Incident.URL != "http://daytwo.example/incidents/"+i.ID {
			t.Errorf("webhook %s", body)
		}
		if n, err := testutil.GatherAndCount(reg, "daytwo_incident_pages_total", "daytwo_incident_opened_total"); n != 3 || err != nil {
			t.Errorf("%d metrics: %v", n, err)
		}
	})
}
