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

// storms are how many triggers and kills: DAYTWO_STORM=full asks for the whole of it.
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
	triggers, kills := storms()
	s, dir, address := newStorm(t), t.TempDir(), freeAddress(t)
	d := s.start(t, dir, address)
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
			d = s.start(t, dir, address)
			await(t, "it is ready again", func() bool { return d.status() == 200 })
		}
		await(t, "the trigger is taken", func() bool { return d.trigger(title) })
		accepted[title] = true
	}
	await(t, "everything is paged", func() bool { return s.pager.count() >= len(accepted) })
	duplicates := s.pager.check(t, accepted)
	t.Logf("%d triggers, %d kills, %d pages came more than once", len(accepted), kills, duplicates)
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
	if err := json.NewDecoder(res.Body).Decode(&found); err != nil || found.Open != len(accepted) || len(found.Stranded) > 0 {
		t.Errorf("the auditor finds %+v, %v; want %d open and none stranded", found, err, len(accepted))
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

// Two processes share one PostgreSQL: one works, the other stands by. When the first is killed in the middle of pages, the other
// goes on, and no page is lost.
func TestTakeover(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: it kills processes for a while")
	}
	url := storetest.PostgresURL(t)
	s := newStorm(t)
	first := s.start(t, t.TempDir(), freeAddress(t), "--database-url", url, "--standby")
	await(t, "the first is ready", func() bool { return first.status() == 200 })
	second := s.start(t, t.TempDir(), freeAddress(t), "--database-url", url, "--standby")
	await(t, "the second stands by", func() bool { return second.status() == 503 })
	accepted := map[string]bool{}
	for n := range 40 {
		title := fmt.Sprintf("first %d", n)
		await(t, "the trigger is taken", func() bool { return first.trigger(title) })
		accepted[title] = true
	}
	first.kill() // pages are on their way
	killed := time.Now()
	await(t, "the second works", func() bool { return second.status() == 200 })
	took := time.Since(killed)
	for n := range 10 {
		title := fmt.Sprintf("second %d", n)
		await(t, "the trigger is taken", func() bool { return second.trigger(title) })
		accepted[title] = true
	}
	await(t, "everything is paged", func() bool { return s.pager.count() >= len(accepted) })
	t.Logf("the second was ready %s after the first was killed; everything was paged after %s, %d more than once", took.Round(time.Millisecond),
		time.Since(killed).Round(time.Millisecond), s.pager.check(t, accepted))
}
