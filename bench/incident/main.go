// Command incident measures the way from an event to a page on the real binary: how long a page takes at a steady rate of triggers,
// how many durable events a second it takes, compared with one commit an event, and how long the views take with many open
// alerts. With -goalert the same is asked of GoAlert in the same run. Run it in its directory; everything happens on this machine
// and in a temporary directory:
//
//	go run .
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	key   = "beef0000beef0000beef0000beef0000"
	token = "admin-token-of-the-benchmark"
)

func main() {
	rate := flag.Int("rate", 50, "triggers a second")
	length := flag.Duration("length", 20*time.Second, "of each timed phase")
	open := flag.Int("open", 10_000, "open alerts for the views")
	clients := flag.Int("clients", 128, "senders at once of the throughput phase")
	bin := flag.String("daytwo", "", "the binary; empty: built first")
	goalert := flag.String("goalert", "", "a binary of GoAlert, to measure it too; it needs PostgreSQL's programs")
	phases := flag.String("phases", "latency,throughput,views,crowded", "which of them")
	flag.Parse()
	b := bench{bin: *bin, goalert: *goalert, rate: *rate, length: *length, open: *open, clients: *clients}
	if err := b.run(strings.Split(*phases, ",")); err != nil {
		log.Fatal(err)
	}
}

// bench is what is to be measured, and with what.
type bench struct {
	bin, goalert        string
	rate, open, clients int
	length              time.Duration
	work                string
	hook                *hook
	hookURL             string
}

// target takes triggers, each for one of eight services that each page one person by a webhook.
type target interface {
	trigger(service int, dedup string) error
}

// hook notes when a page arrives: the title of its incident, or the summary of its alert, says which.
type hook struct {
	mu sync.Mutex
	at map[string]time.Time
}

func (h *hook) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	now := time.Now()
	var page struct {
		Incident struct{ Title string }
		Summary  string
	}
	if json.NewDecoder(r.Body).Decode(&page) == nil {
		h.mu.Lock()
		if name := page.Incident.Title + page.Summary; h.at[name].IsZero() {
			h.at[name] = now
		}
		h.mu.Unlock()
	}
}

// server is the daytwo under measure.
type server struct {
	url  string
	http *http.Client
	stop func()
}

func start(work, name, bin, hookURL string) (*server, error) {
	ops := filepath.Join(work, name+"-ops")
	if err := os.MkdirAll(ops, 0o700); err != nil {
		return nil, err
	}
	var people, targets bytes.Buffer
	for i := range 8 { // eight people, so that one address is not the bottleneck
		fmt.Fprintf(&people, "  - {name: p%d, webhook: \"%s/%d\"}\n", i, hookURL, i)
		fmt.Fprintf(&targets, "  - {name: pol%d, levels: [{targets: [p%d], after: 0s}]}\n", i, i)
	}
	text := "people:\n" + people.String() + "escalation_policies:\n" + targets.String() + "services:\n"
	for i := range 8 {
		text += fmt.Sprintf("  - {name: s%d, escalation_policy: pol%d, grouping: {by: [dedup_key]}, integrations: [{name: bench, key: %q}]}\n", i, i, keyOf(i))
	}
	text += fmt.Sprintf("  - {name: one, escalation_policy: pol0, integrations: [{name: bench, key: %q}]}\n", keyOf(oneIncident))
	if err := os.WriteFile(filepath.Join(ops, "daytwo.yml"), []byte(text), 0o600); err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	address := l.Addr().String()
	l.Close()
	cmd := exec.Command(bin, "serve", "--config", ops, "--data", filepath.Join(work, name), "--listen", address, "--allow-private-webhooks", "--events-per-key", "0")
	cmd.Env = append(os.Environ(), "DAYTWO_ADMIN_TOKEN="+token)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{url: "http://" + address, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1024}, Timeout: 30 * time.Second},
		stop: func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }}
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if res, err := s.http.Get(s.url + "/-/ready"); err == nil {
			res.Body.Close()
			if res.StatusCode == 200 {
				return s, nil
			}
		}
		if time.Now().After(deadline) {
			s.stop()
			return nil, fmt.Errorf("daytwo is not ready after a minute")
		}
	}
}

// oneIncident is a service beside the eight, all alerts of which are one incident.
const oneIncident = 8

func keyOf(i int) string { return fmt.Sprintf("%s%d", key[:31], i) }

func (s *server) trigger(service int, dedup string) error {
	body := fmt.Sprintf(`{"routing_key":%q,"event_action":"trigger","dedup_key":%q,"payload":{"summary":%q,"source":"bench","severity":"critical","component":"c","custom_details":{"a":"b","n":1}}}`,
		keyOf(service), dedup, dedup)
	res, err := s.http.Post(s.url+"/pagerduty/v2/enqueue", "application/json", bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	if res.StatusCode != http.StatusAccepted {
		return fmt.Errorf("answered %s", res.Status)
	}
	return nil
}

// call is how long an answer takes, to its last byte.
func (s *server) call(method, path string) (time.Duration, error) {
	began := time.Now()
	body, err := s.ask(method, path)
	if err != nil {
		return 0, err
	}
	defer body.Close()
	_, err = io.Copy(io.Discard, body)
	return time.Since(began), err
}

func (s *server) read(path string, into any) error {
	body, err := s.ask(http.MethodGet, path)
	if err != nil {
		return err
	}
	defer body.Close()
	return json.NewDecoder(body).Decode(into)
}

func (s *server) ask(method, path string) (io.ReadCloser, error) {
	req, err := http.NewRequest(method, s.url+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := s.http.Do(req)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= 400 {
		res.Body.Close()
		return nil, fmt.Errorf("%s answered %s", path, res.Status)
	}
	return res.Body, nil
}

func (b *bench) run(phases []string) error {
	work, err := os.MkdirTemp("", "bench-incident")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	b.work = work
	if b.bin == "" {
		b.bin = filepath.Join(work, "daytwo")
		build := exec.Command("go", "build", "-o", b.bin, "../../cmd/daytwo")
		build.Env, build.Stderr = append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
		if err := build.Run(); err != nil {
			return err
		}
	}
	b.hook = &hook{at: map[string]time.Time{}}
	receiver := httptest.NewServer(b.hook)
	defer receiver.Close()
	b.hookURL = receiver.URL
	do := map[string]func() error{"latency": b.latency, "throughput": b.throughput, "views": b.views, "crowded": b.crowded}
	for _, name := range phases {
		phase, ok := do[name]
		if !ok {
			return fmt.Errorf("there is no phase %q: use latency, throughput, views or crowded", name)
		}
		if err := phase(); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// latency paces daytwo at the rate asked for and, beside GoAlert, at one trigger a second: GoAlert sends at most one a second to a
// contact.
func (b *bench) latency() error {
	s, err := start(b.work, "latency", b.bin, b.hookURL)
	if err != nil {
		return err
	}
	defer s.stop()
	b.paced("daytwo", s, "l", b.rate)
	peer := b.peer()
	if peer == nil {
		return nil
	}
	defer peer.stop()
	b.paced("daytwo", s, "s", 1)
	b.paced("GoAlert", peer, "g", 1)
	return nil
}

// peer is a GoAlert that runs, or nil, said, where there is none.
func (b *bench) peer() *goalert {
	if b.goalert == "" {
		return nil
	}
	peer, err := startGoAlert(b.work, b.goalert, b.hookURL)
	if err != nil {
		fmt.Printf("GoAlert is not measured: %v\n", err)
		return nil
	}
	return peer
}

// paced sends at a steady pace, whatever the answers take, and waits for the pages: times count from when a trigger was to be sent.
func (b *bench) paced(name string, to target, prefix string, rate int) {
	n := int(b.length.Seconds() * float64(rate))
	planned, taken := make([]time.Time, n), make([]time.Duration, n)
	began := time.Now()
	var wg sync.WaitGroup
	var failed atomic.Int64
	for i := range n {
		planned[i] = began.Add(time.Duration(i) * time.Second / time.Duration(rate))
		time.Sleep(time.Until(planned[i]))
		wg.Go(func() {
			if err := to.trigger(i%8, fmt.Sprint(prefix, i)); err != nil {
				failed.Add(1)
			}
			taken[i] = time.Since(planned[i])
		})
	}
	wg.Wait()
	var paged []time.Duration
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		paged = paged[:0]
		b.hook.mu.Lock()
		for i := range n {
			if at, ok := b.hook.at[fmt.Sprint(prefix, i)]; ok {
				paged = append(paged, at.Sub(planned[i]))
			}
		}
		b.hook.mu.Unlock()
		if len(paged) == n {
			break
		}
	}
	fmt.Printf("%s: %d triggers at %d/s: %d paged, %d refused\n", name, n, rate, len(paged), failed.Load())
	fmt.Printf("  trigger to answer:  %s\n", spread(taken))
	fmt.Printf("  trigger to webhook: %s\n", spread(paged))
}

func spread(all []time.Duration) string {
	if len(all) == 0 {
		return "nothing"
	}
	slices.Sort(all)
	at := func(p float64) time.Duration {
		return all[min(int(p*float64(len(all))), len(all)-1)].Round(100 * time.Microsecond)
	}
	return fmt.Sprintf("p50 %s  p95 %s  p99 %s  max %s", at(0.5), at(0.95), at(0.99), all[len(all)-1].Round(100*time.Microsecond))
}

// throughput counts durable events: with many senders at once, with one, and as bare fsyncs of a file.
func (b *bench) throughput() error {
	s, err := start(b.work, "throughput", b.bin, b.hookURL)
	if err != nil {
		return err
	}
	alone, err := accepted(s, "one", 1, b.length/2)
	if err != nil {
		s.stop()
		return err
	}
	together, err := accepted(s, "many", b.clients, b.length)
	s.stop()
	if err != nil {
		return err
	}
	clients := b.clients
	syncs, err := fsyncs(b.work, b.length/4)
	if err != nil {
		return err
	}
	fmt.Printf("daytwo: durable events: %.0f/s with %d senders, %.0f/s with one (one commit an event): ratio %.1f; bare append+fsync %.0f/s: ratio %.1f\n",
		together, clients, alone, together/alone, syncs, together/syncs)
	peer := b.peer()
	if peer == nil {
		return nil
	}
	defer peer.stop()
	theirs, err := accepted(peer, "many", 16, b.length) // with more senders it answers fewer
	if err != nil {
		return err
	}
	fmt.Printf("GoAlert: %.0f/s with 16 senders: daytwo takes %.1f times as many\n", theirs, together/theirs)
	return nil
}

// accepted is how many events a second are answered 202. Half of them repeat a key, as alerts do.
func accepted(s target, name string, clients int, length time.Duration) (float64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), length)
	defer cancel()
	var n atomic.Int64
	var first atomic.Pointer[error]
	var wg sync.WaitGroup
	began := time.Now()
	for c := range clients {
		wg.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				if err := s.trigger(c%8, fmt.Sprintf("%s-%d-%d", name, c, i%20)); err != nil {
					first.CompareAndSwap(nil, &err)
					return
				}
				n.Add(1)
			}
		})
	}
	wg.Wait()
	if err := first.Load(); err != nil {
		return 0, *err
	}
	return float64(n.Load()) / time.Since(began).Seconds(), nil
}

func fsyncs(work string, length time.Duration) (float64, error) {
	f, err := os.Create(filepath.Join(work, "fsync"))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	line := bytes.Repeat([]byte("x"), 300)
	n, began := 0, time.Now()
	for time.Since(began) < length {
		if _, err := f.Write(line); err != nil {
			return 0, err
		}
		if err := f.Sync(); err != nil {
			return 0, err
		}
		n++
	}
	return float64(n) / time.Since(began).Seconds(), nil
}

// views measures what people look at with many open alerts, each an incident of its own.
func (b *bench) views() error {
	open := b.open
	s, err := start(b.work, "views", b.bin, b.hookURL)
	if err != nil {
		return err
	}
	defer s.stop()
	b.storm(s, "v", func(i int) int { return i % 8 })
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if _, err := s.call("GET", fmt.Sprintf("/api/incidents/%d", open)); err == nil {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("the %d incidents are not there after five minutes", open)
		}
	}
	if err := s.look(fmt.Sprintf("with %d open alerts, while their pages go out", open), 0); err != nil {
		return err
	}
	for deadline := time.Now().Add(10 * time.Minute); b.hook.arrived("v") < open; time.Sleep(200 * time.Millisecond) {
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d pages went out within ten minutes", b.hook.arrived("v"), open)
		}
	}
	if err := s.look(fmt.Sprintf("with %d open alerts, when their pages are out", open), 100); err != nil {
		return err
	}
	return s.views("each of the others once", max(open-200, 0), []view{
		{"acknowledge", "POST", func(i int) string { return fmt.Sprintf("/api/incidents/%d/ack", 200+i+1) }, nil},
	})
}

// storm triggers alerts as fast as they are taken: of name1, name2 and so on, for the service of each.
func (b *bench) storm(s *server, name string, service func(i int) int) {
	var wg sync.WaitGroup
	var next atomic.Int64
	for range b.clients {
		wg.Go(func() {
			for i := int(next.Add(1)); i <= b.open; i = int(next.Add(1)) {
				for s.trigger(service(i), fmt.Sprint(name, i)) != nil {
					time.Sleep(10 * time.Millisecond)
				}
			}
		})
	}
	wg.Wait()
}

// crowded measures one incident with as many alerts.
func (b *bench) crowded() error {
	s, err := start(b.work, "crowded", b.bin, b.hookURL)
	if err != nil {
		return err
	}
	defer s.stop()
	b.storm(s, "w", func(int) int { return oneIncident })
	var found struct{ Items []struct{ Number int } }
	for deadline := time.Now().Add(5 * time.Minute); ; time.Sleep(200 * time.Millisecond) {
		if err := s.read("/api/incidents?status=open&service=one", &found); err != nil {
			return err
		}
		var alerts struct{ Total int }
		if len(found.Items) == 1 {
			if err := s.read(fmt.Sprintf("/pagerduty/incidents/%d/alerts?limit=1&total=true", found.Items[0].Number), &alerts); err != nil {
				return err
			}
		}
		if alerts.Total == b.open {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%d of %d alerts are there after five minutes", alerts.Total, b.open)
		}
	}
	one := found.Items[0].Number
	err = s.views(fmt.Sprintf("one incident with %d alerts", b.open), 100, []view{
		{"its page", "GET", func(int) string { return fmt.Sprintf("/api/incidents/%d", one) }, nil},
		{"its alerts, 200", "GET", func(int) string { return fmt.Sprintf("/api/incidents/%d/alerts?limit=200", one) }, nil},
		{"PagerDuty's alerts, 100", "GET", func(i int) string {
			return fmt.Sprintf("/pagerduty/incidents/%d/alerts?limit=100&offset=%d", one, i*90)
		}, nil},
		{"acknowledge", "POST", func(int) string { return fmt.Sprintf("/api/incidents/%d/ack", one) },
			func(int) string { return fmt.Sprintf("/api/incidents/%d/unacknowledge", one) }},
	})
	if err != nil {
		return err
	}
	return s.views("its end", 1, []view{
		{"resolve", "POST", func(int) string { return fmt.Sprintf("/api/incidents/%d/resolve", one) }, nil},
	})
}

// view is something that is looked at, or done.
type view struct {
	name, method string
	path         func(i int) string
	undo         func(i int) string // nil: nothing is to be undone, which is not timed, before the next
}

// arrived is how many pages of incidents whose titles begin with prefix came.
func (h *hook) arrived(prefix string) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for title := range h.at {
		if strings.HasPrefix(title, prefix) {
			n++
		}
	}
	return n
}

// look asks a hundred times, one after the other, for what people and clients look at, and acknowledges incidents from number from on.
func (s *server) look(when string, from int) error {
	after, err := s.cursor("/api/incidents?status=open&limit=200")
	if err != nil {
		return err
	}
	return s.views(when, 100, []view{
		{"list of open ones, 200", "GET", func(int) string { return "/api/incidents?status=open&limit=200" }, nil},
		{"the 200 after them", "GET", func(int) string { return "/api/incidents?status=open&limit=200&cursor=" + after }, nil},
		{"those of a service, 200", "GET", func(i int) string { return fmt.Sprintf("/api/incidents?status=open&service=s%d&limit=200", i%8) }, nil},
		{"what came in, 100", "GET", func(int) string { return "/api/inbound-events?limit=100" }, nil},
		{"PagerDuty's list, 100", "GET", func(i int) string {
			return fmt.Sprintf("/pagerduty/incidents?statuses[]=triggered&statuses[]=acknowledged&limit=100&offset=%d&total=true", i*90)
		}, nil},
		{"PagerDuty's list of a key", "GET", func(i int) string { return fmt.Sprintf("/pagerduty/incidents?incident_key=v%d", i*7+1) }, nil},
		{"PagerDuty's services", "GET", func(int) string { return "/pagerduty/services" }, nil},
		{"PagerDuty's log entries", "GET", func(int) string { return "/pagerduty/log_entries?limit=100" }, nil},
		{"page of one", "GET", func(i int) string { return fmt.Sprintf("/api/incidents/%d", i*7+1) }, nil},
		{"its alerts", "GET", func(i int) string { return fmt.Sprintf("/api/incidents/%d/alerts", i*7+1) }, nil},
		{"acknowledge", "POST", func(i int) string { return fmt.Sprintf("/api/incidents/%d/ack", from+i+1) }, nil},
		{"on-call load", "GET", func(int) string { return "/api/oncall-analytics" }, nil},
		{"audit", "GET", func(int) string { return "/api/incident-audit" }, nil},
	})
}

// views times each of some views a number of times, one after the other.
func (s *server) views(when string, times int, list []view) error {
	fmt.Printf("%s:\n", when)
	for _, v := range list {
		var took []time.Duration
		for i := range times {
			d, err := s.call(v.method, v.path(i))
			if err != nil {
				return err
			}
			took = append(took, d)
			if v.undo == nil {
				continue
			}
			if _, err := s.call("POST", v.undo(i)); err != nil {
				return err
			}
		}
		fmt.Printf("  %-26s %s\n", v.name+":", spread(took))
	}
	return nil
}

// cursor is where a list goes on.
func (s *server) cursor(path string) (string, error) {
	var list struct{ Next string }
	err := s.read(path, &list)
	return list.Next, err
}
