package incident_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

const (
	childDir, childHook = "DAYTWO_INCIDENT_TEST_DIR", "DAYTWO_INCIDENT_TEST_HOOK"
	storm               = 200 // triggers
	kills               = 6
)

func isChild() bool { return os.Getenv(childDir) != "" }

// child is a process that triggers an incident of each service, says so once it is durable, and pages until it is killed.
func child() {
	ctx := context.Background()
	check := func(err error) {
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	quiet := slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, store.Config{Dir: os.Getenv(childDir), Logger: quiet})
	check(err)
	tl, err := timeline.New(ctx, timeline.Config{DB: db, Logger: quiet})
	check(err)
	c, _ := catalog.Parse("daytwo.yml", []byte(`
people: [{name: grace, webhook: "`+os.Getenv(childHook)+`"}]
escalation_policies: [{name: single, levels: [{targets: [grace], after: 0s}]}]
services:
`+strings.ReplaceAll(manyServices(storm), "team: payments, ", "")))
	sender, err := notify.New(notify.Config{AllowPrivate: true, Logger: quiet})
	check(err)
	incidents, err := incident.New(ctx, incident.Config{DB: db, Timeline: tl, Catalog: catalog.NewLive(c), Sender: sender, Logger: quiet})
	check(err)
	go func() { check(incidents.Run(ctx)) }()
	for k := range storm {
		check(db.Write(ctx, func(tx *store.Tx) error {
			_, err := incidents.Trigger(ctx, tx, incident.Trigger{AlertID: fmt.Sprint(k), Service: fmt.Sprintf("s%d", k), Title: "t"})
			return err
		}))
		fmt.Println(k)
	}
	select {}
}

// receiver is the webhook of the test: it counts what arrives, by service, and turns some of it away the first time.
type receiver struct {
	mu       sync.Mutex
	arrived  map[string]int             // service → deliveries
	attempts map[string]map[string]bool // service → delivery ids
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	var p incident.Payload
	if err := json.NewDecoder(req.Body).Decode(&p); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	id, service := req.Header.Get(notify.DeliveryHeader), p.Incident.Service
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.attempts[service] == nil {
		r.attempts[service] = map[string]bool{}
	}
	first := len(r.attempts[service]) == 0
	r.attempts[service][id] = true
	if first && strings.HasSuffix(service, "7") {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	r.arrived[service]++
}

func (r *receiver) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.arrived)
}

// Kill -9 at random moments of a storm loses no page: everything that was durable is delivered at least once, and what is
// delivered more often carries the same id.
func TestKilledInTheMiddleOfSends(t *testing.T) {
	if testing.Short() {
		t.Skip("not in short mode: starts processes")
	}
	r := &receiver{arrived: map[string]int{}, attempts: map[string]map[string]bool{}}
	server := httptest.NewServer(r)
	defer server.Close()
	dir, durable := t.TempDir(), map[string]bool{}
	for k := range kills {
		goal := rand.IntN(storm * (k + 1) / kills) // of durable triggers, then death
		start(t, dir, server.URL, func(line string) bool {
			durable["s"+line] = true
			return len(durable) <= goal
		})
	}
	p := start(t, dir, server.URL, func(line string) bool {
		durable["s"+line] = true
		return len(durable) < storm
	}, "stay")
	eventually(t, "everything is delivered", func() bool { return r.count() == storm })
	p.kill()
	r.mu.Lock()
	defer r.mu.Unlock()
	duplicates := 0
	for service := range durable {
		if r.arrived[service] == 0 {
			t.Errorf("the page of %s was lost", service)
		}
		if len(r.attempts[service]) != 1 {
			t.Errorf("%s was paged under %d ids", service, len(r.attempts[service]))
		}
		duplicates += r.arrived[service] - 1
	}
	t.Logf("%d triggers, %d kills, %d delivered more than once", len(durable), kills, duplicates)
}

type process struct{ kill func() }

// start runs a child and reads what it says until wanted returns false; then it kills it, unless it is to stay.
func start(t *testing.T, dir, hook string, wanted func(line string) bool, stay ...string) process {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childDir+"="+dir, childHook+"="+hook)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var once sync.Once
	p := process{kill: func() {
		once.Do(func() {
			_ = cmd.Process.Kill()
			_, _ = io.Copy(io.Discard, out)
			_ = cmd.Wait()
		})
	}}
	t.Cleanup(p.kill)
	guard := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() })
	defer guard.Stop()
	lines := bufio.NewScanner(out)
	for lines.Scan() && wanted(lines.Text()) {
	}
	if len(stay) == 0 {
		p.kill()
	}
	return p
}
