package loop_test

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
	"sync"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/loop"
	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/postmortem"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

const (
	crashDir, crashHook = "DAYTWO_LOOP_TEST_DIR", "DAYTWO_LOOP_TEST_HOOK"
	alerts              = 120 // two of a group
	deaths              = 8
)

func TestMain(m *testing.M) {
	if os.Getenv(crashDir) != "" {
		if err := live(context.Background(), os.Getenv(crashDir), os.Getenv(crashHook)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// live is a process in which alerts fire, from where the one before died; the loop makes incidents of them, and they page.
func live(ctx context.Context, dir, hook string) error {
	quiet := slog.New(slog.DiscardHandler)
	db, err := store.Open(ctx, store.Config{Dir: dir, Logger: quiet})
	if err != nil {
		return err
	}
	line, err := timeline.New(ctx, timeline.Config{DB: db, Logger: quiet})
	if err != nil {
		return err
	}
	people := catalog.NewLive(&catalog.Catalog{People: []catalog.Person{{Name: "grace", Webhook: hook}}})
	sender, err := notify.New(notify.Config{AllowPrivate: true, Logger: quiet})
	if err != nil {
		return err
	}
	incidents, err := incident.New(ctx, incident.Config{DB: db, Timeline: line, Catalog: people, Sender: sender, Logger: quiet})
	if err != nil {
		return err
	}
	lessons, err := postmortem.New(ctx, postmortem.Config{DB: db, Timeline: line, Logger: quiet})
	if err != nil {
		return err
	}
	fired, _, err := line.List(ctx, timeline.Filter{Kinds: []timeline.Kind{timeline.Alert}, Limit: 500})
	if err != nil {
		return err
	}
	joined := loop.New(loop.Config{DB: db, Timeline: line, Catalog: people, Incidents: incidents, Postmortems: lessons})
	failed := make(chan error, 3)
	go func() { failed <- incidents.Run(ctx) }()
	go func() { failed <- joined.Run(ctx) }()
	go func() {
		for k := len(fired); k < alerts; k++ {
			e := timeline.Entry{Kind: timeline.Alert, Action: "fired", Title: "down", Ref: fmt.Sprintf("alert/%d", k), Tone: timeline.Critical,
				Data: map[string]string{"name": fmt.Sprintf("Down%d", k/2), "job": "node", "severity": "critical"}}
			if err := db.Write(ctx, func(tx *store.Tx) error { return line.Append(ctx, tx, &e) }); err != nil {
				failed <- err
			}
			fmt.Println(k)
		}
	}()
	return <-failed
}

// inbox is the webhook that all pages go to: by incident, the ids they came under.
type inbox struct {
	mu    sync.Mutex
	pages map[string]map[string]int
}

func (b *inbox) ServeHTTP(_ http.ResponseWriter, r *http.Request) {
	var p incident.Payload
	if json.NewDecoder(r.Body).Decode(&p) != nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pages[p.Incident.ID] == nil {
		b.pages[p.Incident.ID] = map[string]int{}
	}
	b.pages[p.Incident.ID][r.Header.Get(notify.DeliveryHeader)]++
}

func (b *inbox) paged() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.pages)
}

// Killed -9 at any moment between an alert and the record of its page: each group of alerts becomes exactly one incident, and
// each incident pages at least once, under one id.
func TestKilledBetweenAlertAndPage(t *testing.T) {
	if testing.Short() {
		t.Skip("not in short mode: starts processes")
	}
	box := &inbox{pages: map[string]map[string]int{}}
	server := httptest.NewServer(box)
	defer server.Close()
	dir := t.TempDir()
	for range deaths {
		dies(t, dir, server.URL, func(lines *bufio.Scanner) {
			for range 1 + rand.IntN(alerts/deaths) {
				lines.Scan()
			}
			time.Sleep(time.Duration(rand.Int64N(int64(20 * time.Millisecond)))) // a random moment is the point
		})
	}
	dies(t, dir, server.URL, func(*bufio.Scanner) {
		for end := time.Now().Add(30 * time.Second); box.paged() < alerts/2 && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond) // another process does it, in real time
		}
	})

	quiet := slog.New(slog.DiscardHandler)
	db, err := store.Open(t.Context(), store.Config{Dir: dir, Logger: quiet})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	groups, total := map[string]int{}, 0
	err = db.Read(t.Context(), func(tx *store.Tx) error {
		rows, err := tx.Query(t.Context(), `SELECT i.id, i.common, COUNT(a.alert_id) FROM incidents i JOIN incident_alerts a ON a.incident_id = i.id GROUP BY i.id, i.common`)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id, group string
			var joined int
			if err := rows.Scan(&id, &group, &joined); err != nil {
				return err
			}
			groups[group]++
			total += joined
			if len(box.pages[id]) != 1 {
				t.Errorf("%s: paged under %d ids: %v", group, len(box.pages[id]), box.pages[id])
			}
		}
		return rows.Err()
	})
	if err != nil || len(groups) != alerts/2 || total != alerts {
		t.Errorf("%d groups of %d alerts: %v", len(groups), total, err)
	}
	for group, n := range groups {
		if n != 1 {
			t.Errorf("%s: %d incidents", group, n)
		}
	}
}

// dies runs a process until the function returns, and kills it then.
func dies(t *testing.T, dir, hook string, until func(lines *bufio.Scanner)) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), crashDir+"="+dir, crashHook+"="+hook)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	until(bufio.NewScanner(out))
	if err := cmd.Process.Kill(); err != nil {
		t.Errorf("the process ended by itself: %v", err)
	}
	_, _ = io.Copy(io.Discard, out)
	_ = cmd.Wait()
}
