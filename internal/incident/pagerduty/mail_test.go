package pagerduty_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/smtp"
	"net/textproto"
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/incident/pagerduty"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func TestMailsAreEvents(t *testing.T) {
	for _, c := range []struct{ subject, header, action, dedup, severity string }{
		{"Disk full on db1", "", "trigger", "disk full on db1", "error"},
		{"RESOLVED: Disk full on db1", "", "resolve", "disk full on db1", "error"},
		{"Re: [WARNING] Disk full on db1", "", "trigger", "disk full on db1", "warning"},
		{"[RESOLVED] [CRITICAL] Disk full on db1", "", "resolve", "disk full on db1", "critical"},
		{"** PROBLEM alert - web is DOWN **", "", "trigger", "web is down", "error"},
		{"** RECOVERY alert - web is UP **", "X-Dedup-Key: web\n", "resolve", "web", "error"},
		{"anything", "X-Event-Action: acknowledge\nX-Severity: info\nX-Dedup-Key: k\n", "acknowledge", "k", "info"},
		{"=?UTF-8?Q?Gr=C3=B6=C3=9Fe?=", "", "trigger", "größe", "error"},
		{"Upgrade of the database failed", "", "trigger", "upgrade of the database failed", "error"},
		{"Recovery of replica db2 failed", "", "trigger", "recovery of replica db2 failed", "error"},
		{"Up to 95 % disk used", "", "trigger", "up to 95 % disk used", "error"},
		{"Closed connections exceed limit", "", "trigger", "closed connections exceed limit", "error"},
		{"[Backup] OK: never ran", "", "trigger", "backup] ok: never ran", "error"},
		{"OK - Disk full on db1", "", "resolve", "disk full on db1", "error"},
		{"ALERT", "", "trigger", "alert", "error"},
		{"CRITICAL", "", "trigger", "critical", "critical"},
		{"Resolved", "", "resolve", "resolved", "error"},
	} {
		m, err := pagerduty.ReadMail(strings.NewReader("From: cron <root@db1>\r\n" + c.header + "Subject: " + c.subject + "\r\n\r\ntext\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		e, err := m.Event("")
		if err != nil || e.Action != c.action || e.DedupKey != c.dedup || e.Body.Severity != c.severity {
			t.Errorf("%s: %s %q %s, %v", c.subject, e.Action, e.DedupKey, e.Body.Severity, err)
		}
	}
	for _, wrong := range []string{"From: a@b\n\nno subject", "Subject: x\nX-Event-Action: explode\n\n", "Subject: away\nAuto-Submitted: auto-replied\n\n"} {
		m, err := pagerduty.ReadMail(strings.NewReader(wrong))
		if err != nil {
			t.Fatal(err)
		}
		if e, err := m.Event(""); err == nil {
			t.Errorf("%q was taken: %+v", wrong, e)
		}
	}
}

// The plain text is found in the parts of a message, however it is written.
func TestTextOfMails(t *testing.T) {
	mail := "Subject: s\r\nContent-Type: multipart/mixed; boundary=A\r\n\r\n--A\r\nContent-Type: multipart/alternative; boundary=B\r\n\r\n" +
		"--B\r\nContent-Type: text/html\r\n\r\n<b>no</b>\r\n--B\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\nZnVs\r\nbA==\r\n--B--\r\n--A--\r\n"
	if m, err := pagerduty.ReadMail(strings.NewReader(mail)); err != nil || m.Text != "full" {
		t.Errorf("%q, %v", m.Text, err)
	}
	if m, err := pagerduty.ReadMail(strings.NewReader("Subject: s\nContent-Transfer-Encoding: quoted-printable\nContent-Type: text/plain\n\na=3Db\n")); err != nil || m.Text != "a=b\n" {
		t.Errorf("%q, %v", m.Text, err)
	}
}

// A body that is damaged does not cost the alert: its subject is kept, and the text as far as it can be read.
func TestDamagedBodies(t *testing.T) {
	for body, want := range map[string]string{
		"Content-Type: text/plain\nContent-Transfer-Encoding: base64\n\nZnVsbA==!":             "full",
		"Content-Type: text/plain\nContent-Transfer-Encoding: quoted-printable\n\nfull\na=ZZb": "full\n",
		"Content-Type: multipart/mixed; boundary=A\n\n--A\nContent-Type: text/plain\n\nfull":   "full",
		"Content-Type: multipart/mixed; boundary=A\n\nno part":                                 "",
	} {
		m, err := pagerduty.ReadMail(strings.NewReader("Subject: Disk full\n" + body))
		if err != nil || m.Subject != "Disk full" || !strings.HasPrefix(m.Text, want) {
			t.Errorf("%q: %+v, %v", body, m, err)
		}
	}
	if _, err := pagerduty.ReadMail(strings.NewReader("no header\n\n")); problem.From(err).Code != problem.Invalid {
		t.Errorf("no header: %v", err)
	}
}

func FuzzMail(f *testing.F) {
	f.Add("Subject: s\r\nContent-Type: multipart/mixed; boundary=A\r\n\r\n--A\r\n\r\nx\r\n--A--\r\n")
	f.Add("Subject: [RESOLVED] x\nX-Severity: info\n\n")
	f.Fuzz(func(t *testing.T, text string) {
		m, err := pagerduty.ReadMail(strings.NewReader(text))
		if err != nil {
			return
		}
		if e, err := m.Event(""); err == nil && (e.Body.Title == "" || e.DedupKey == "" || len([]rune(e.DedupKey)) > 255) {
			t.Errorf("taken: %+v", e)
		}
	})
}

// mailDoor takes e-mail at an address until stop is called.
func mailDoor(t *testing.T, r *rig) (address string, stop func()) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- r.api.ServeMail(ctx, l) }()
	return l.Addr().String(), func() {
		cancel()
		if err := <-served; err != nil {
			t.Error(err)
		}
	}
}

// An e-mail to a key opens an incident, one that says so ends it, and a stranger's address is refused by name.
func TestMailDoor(t *testing.T) {
	r := newRig(t)
	address, stop := mailDoor(t, r)
	send := func(to, subject string) error {
		return smtp.SendMail(address, nil, "root@db1.example", []string{to}, fmt.Appendf(nil, "From: root@db1.example\r\nSubject: %s\r\n\r\ndf says 100%%\r\n", subject))
	}
	if err := send(strings.ToUpper(key)+"@daytwo.example", "[CRITICAL] Disk full"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "an incident", func() bool { return len(r.incidents(t)) == 1 })
	i := r.incidents(t)[0]
	records, err := r.Records(t.Context(), detail(t, r, i.ID))
	if i.Service != "checkout" || i.Severity != incident.Critical || err != nil || records[0].Fields.Details["text"] != "df says 100%" || records[0].Fields.Origin != "root@db1.example" {
		t.Errorf("incident %+v, alerts %+v, %v", i, records, err)
	}
	if err := send(key+"@daytwo.example", "RESOLVED: Disk full"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is over", func() bool { return r.incidents(t)[0].Status == incident.Resolved })
	if refusal, ok := errors.AsType[*textproto.Error](send("stranger@daytwo.example", "x")); !ok || refusal.Code != 550 {
		t.Errorf("a stranger: %v", refusal)
	}
	if refusal, ok := errors.AsType[*textproto.Error](send(key+"@daytwo.example", "")); !ok || refusal.Code != 554 || !strings.Contains(refusal.Msg, "no subject") {
		t.Errorf("no subject: %v", refusal)
	}
	stop()
}

// Whoever holds many connections open is sent away.
func TestOneSenderDoesNotFillTheMailDoor(t *testing.T) {
	r := newRig(t)
	address, stop := mailDoor(t, r)
	greeting := func() string {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		line, err := bufio.NewReader(c).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		return line[:3]
	}
	for n := range 12 {
		if got, want := greeting(), map[bool]string{true: "220", false: "421"}[n < 10]; got != want {
			t.Errorf("connection %d: %s", n+1, got)
		}
	}
	stop()
}

func detail(t *testing.T, r *rig, id string) incident.Detail {
	t.Helper()
	d, err := r.Get(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
