package test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/store/storetest"
)

const stormKey = "5700000000000000000000000000057a"

// pager receives the pages of a storm: it counts them by the title of their incident, and turns some away the first time.
type pager struct {
	mu      sync.Mutex
	arrived map[string]int
	ids     map[string]map[string]bool
}

func (p *pager) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var page struct {
		Page     struct{ ID string }
		Incident struct{ Title string }
	}
	body, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(body, &page); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	title, id := page.Incident.Title, r.Header.Get("X-Daytwo-Delivery")
	p.mu.Lock()
	defer p.mu.Unlock()
	first := p.ids[title] == nil
	if first {
		p.ids[title] = map[string]bool{}
	}
	p.ids[title][id] = true
	if first && strings.HasSuffix(title, "7") {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	p.arrived[title]++
}

func (p *pager) count() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.arrived)
}

// check says which of the accepted triggers were lost or paged under several ids, and counts those that came more than once.
func (p *pager) check(t *testing.T, accepted map[string]bool) (duplicates int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for title := range accepted {
		if p.arrived[title] == 0 {
			t.Errorf("the page of %s was lost", title)
		}
		if len(p.ids[title]) != 1 {
			t.Errorf("%s was paged under %d ids", title, len(p.ids[title]))
		}
		duplicates += max(p.arrived[title]-1, 0)
	}
	return duplicates
}

// storm is the operations directory and the address of what is stormed.
type storm struct {
	bin, ops string
	pager    *pager
}

func newStorm(t *testing.T) *storm {
	t.Helper()
	s := &storm{bin: buildBinary(t), ops: t.TempDir(), pager: &pager{arrived: map[string]int{}, ids: map[string]map[string]bool{}}}
	server := httptest.NewServer(s.pager)
	t.Cleanup(server.Close)
	text := fmt.Sprintf(`
people: [{name: ada, webhook: "%s/hook"}]
escalation_policies: [{name: pay, levels: [{targets: [ada], after: 0s}]}]
services:
  - name: checkout
    escalation_policy: pay
    grouping: {by: [dedup_key]}
    integrations: [{name: storm, key: "%s"}]
`, server.URL, stormKey)
	if err := os.WriteFile(filepath.Join(s.ops, "daytwo.yml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return s
}

// daytwo is one process.
type daytwo struct {
	cmd *exec.Cmd
	url string
}

func (s *storm) start(t *testing.T, dir, address string, more ...string) *daytwo {
	t.Helper()
	args := append([]string{"serve", "--config", s.ops, "--data", dir, "--listen", address, "--allow-private-webhooks", "--events-per-key", "0"}, more...)
	d := &daytwo{cmd: exec.Command(s.bin, args...), url: "http://" + address}
	d.cmd.Env = append(os.Environ(), "DAYTWO_ADMIN_TOKEN=admin-token-of-the-storm",
		"DAYTWO_SECRET_KEY=c3Rvcm0tc3Rvcm0tc3Rvcm0tc3Rvcm0tc3Rvcm0tMTI=") // processes that share a database share its key
	if testing.Verbose() && os.Getenv("DAYTWO_STORM_LOG") != "" {
		d.cmd.Stdout, d.cmd.Stderr = os.Stderr, os.Stderr
	}
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.kill)
	return d
}

func (d *daytwo) kill() {
	if d.cmd.ProcessState == nil {
		_ = d.cmd.Process.Kill()
		_ = d.cmd.Wait()
	}
}

// status asks for readiness; 0 when nobody answers.
func (d *daytwo) status() int {
	c := http.Client{Timeout: 2 * time.Second}
	res, err := c.Get(d.url + "/-/ready")
	if err != nil {
		return 0
	}
	res.Body.Close()
	return res.StatusCode
}

func await(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(3 * readyWithin); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %s: %s", 3*readyWithin, what)
		}
	}
}

// trigger sends an event and tells whether it was taken.
func (d *daytwo) trigger(title string) bool {
	body := fmt.Sprintf(`{"routing_key":%q,"event_action":"trigger","dedup_key":%q,"payload":{"summary":%q,"source":"storm","severity":"critical"}}`, stormKey, title, title)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, d.url+"/pagerduty/v2/enqueue", strings.NewReader(body))
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode == http.StatusAccepted
}

// storms are how many triggers and kills: DAYTWO_STORM=full (make storm) asks for the whole of it.
func storms() (triggers, kills int) {
	if os.Getenv("DAYTWO_STORM") == "full" {
		return 2000, 20
	}
	return 200, 4
}

// Kill -9 of the real process at random moments of a storm loses no page: everything that was answered 202 is paged at least once,
// and what is paged more often carries the same id.
func TestKilledInAStorm(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it kills processes for a while")
	}
	t.Run("sqlite", func(t *testing.T) { killInAStorm(t) })
	t.Run("postgres", func(t *testing.T) { killInAStorm(t, "--database-url", storetest.PostgresURL(t)) })
}

func killInAStorm(t *testing.T, more ...string) {
	began := time.Now()
	triggers, kills := storms()
	s, dir, address := newStorm(t), t.TempDir(), freeAddress(t)
	d := s.start(t, dir, address, more...)
	await(t, "it is ready", func() bool { return d.status() == 200 })
	deaths := map[int]bool{}
	for len(deaths) < kills {
		deaths[rand.IntN(triggers)] = true
	}
	accepted := map[string]bool{}
	for n := range triggers {
		title := fmt.Sprintf("trigger %d", n)
		if deaths[n] {
			victim := d // killed at any moment of what follows
			gone := make(chan struct{})
			go func() {
				defer close(gone)
				time.Sleep(time.Duration(rand.Int64N(int64(30 * time.Millisecond)))) // the moment is the point
				_ = victim.cmd.Process.Kill()
			}()
			for d.trigger(title) && !closed(gone) {
				accepted[title] = true
			}
			<-gone
			_ = victim.cmd.Wait()
			d = s.start(t, dir, address, more...)
			await(t, "it is ready again", func() bool { return d.status() == 200 })
		}
		await(t, "the trigger is taken", func() bool { return d.trigger(title) })
		accepted[title] = true
	}
	await(t, "everything is paged", func() bool { return s.pager.count() >= len(accepted) })
	duplicates := s.pager.check(t, accepted)
	t.Logf("%d triggers, %d kills, %d pages, %d of them came more than once, each under one id; %s", len(accepted), kills, s.pager.count(), duplicates,
		time.Since(began).Round(time.Second))
	d.audited(t, len(accepted))
}

// audited asks what the auditor finds.
func (d *daytwo) audited(t *testing.T, open int) {
	t.Helper()
	audit, err := http.NewRequest(http.MethodGet, d.url+"/api/incident-audit", nil)
	if err != nil {
		t.Fatal(err)
	}
	audit.Header.Set("Authorization", "Bearer admin-token-of-the-storm")
	res, err := http.DefaultClient.Do(audit)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var found struct {
		Open     int
		Stranded []any
	}
	if err := json.NewDecoder(res.Body).Decode(&found); err != nil || found.Open != open || len(found.Stranded) > 0 {
		t.Errorf("the auditor finds %+v, %v; want %d open and none stranded", found, err, open)
	}
}

func closed(c chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}

// takeoverWithin is what the design gives: a session that is silent for 6 s is ended, and whoever stands by asks every 100 ms.
const takeoverWithin = 10 * time.Second

// pair is two processes on one PostgreSQL, of which the first works; accepted are the triggers that were answered 202.
type pair struct {
	*storm
	first, second *daytwo
	startup       time.Duration // of the first: how fast this machine is now
	accepted      map[string]bool
}

func newPair(t *testing.T) *pair {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: it kills processes for a while")
	}
	url := storetest.PostgresURL(t)
	p := &pair{storm: newStorm(t), accepted: map[string]bool{}}
	began := time.Now()
	p.first = p.start(t, t.TempDir(), freeAddress(t), "--database-url", url, "--standby")
	await(t, "the first is ready", func() bool { return p.first.status() == 200 })
	p.startup = time.Since(began)
	p.second = p.start(t, t.TempDir(), freeAddress(t), "--database-url", url, "--standby")
	await(t, "the second stands by", func() bool { return p.second.status() == 503 })
	return p
}

func (p *pair) storm40(t *testing.T, d *daytwo, name string) {
	t.Helper()
	for n := range 40 {
		title := fmt.Sprint(name, n)
		await(t, "the trigger is taken", func() bool { return d.trigger(title) })
		p.accepted[title] = true
	}
}

// takenOver waits until the second works, and until everything is paged.
func (p *pair) takenOver(t *testing.T) {
	t.Helper()
	began := time.Now()
	await(t, "the second works", func() bool { return p.second.status() == 200 })
	took := time.Since(began)
	if took > takeoverWithin+2*p.startup { // what it does once it has the database takes as long as a start
		t.Errorf("the second works after %s; a start takes %s", took, p.startup)
	}
	p.storm40(t, p.second, "second ")
	await(t, "everything is paged", func() bool { return p.pager.count() >= len(p.accepted) })
	t.Logf("the second was ready after %s (a start takes %s); everything was paged after %s, %d of %d more than once, each under one id",
		took.Round(time.Millisecond), p.startup.Round(time.Millisecond), time.Since(began).Round(time.Millisecond), p.pager.check(t, p.accepted), len(p.accepted))
}

// Two processes share one PostgreSQL: one works, the other stands by. When the first is killed in the middle of pages, the other
// goes on, and no page is lost.
func TestTakeover(t *testing.T) {
	p := newPair(t)
	p.storm40(t, p.first, "first ")
	p.first.kill() // pages are on their way
	p.takenOver(t)
	p.second.audited(t, len(p.accepted))
}

// A process that hangs keeps its connections, and the other takes over all the same. When the first goes on, it takes no event,
// pages nobody under another id, and ends, since what it remembers is out of date.
func TestTakeoverFromOneThatHangs(t *testing.T) {
	p := newPair(t)
	p.storm40(t, p.first, "first ")
	if err := p.first.cmd.Process.Signal(syscall.SIGSTOP); err != nil { // pages are on their way
		t.Fatal(err)
	}
	p.takenOver(t)
	ended := make(chan error, 1)
	go func() { ended <- p.first.cmd.Wait() }()
	if err := p.first.cmd.Process.Signal(syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	var end error
	for over := false; !over; {
		select {
		case end = <-ended:
			over = true
		default:
			if p.first.trigger("late") {
				t.Error("the first took an event although the second works")
			}
		}
	}
	if end == nil {
		t.Error("the first ended as if all were well")
	}
	p.storm40(t, p.second, "third ")
	await(t, "everything is paged", func() bool { return p.pager.count() >= len(p.accepted) })
	p.pager.check(t, p.accepted)
	p.second.audited(t, len(p.accepted))
}
