package shop_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/daytwo-dev/daytwo/examples/shop"
	"github.com/daytwo-dev/daytwo/examples/shop/api"
	"github.com/daytwo-dev/daytwo/examples/shop/traffic"
	"github.com/daytwo-dev/daytwo/service"
)

// TestMain lets the test binary be each of the services.
func TestMain(m *testing.M) {
	if name := os.Getenv("SHOP_TEST_SERVICE"); name != "" {
		if err := shop.Run(context.Background(), name); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(service.ExitCode(err))
		}
		return
	}
	goleak.VerifyTestMain(m)
}

// process is a running service.
type process struct {
	url string
	cmd *exec.Cmd
	log chan string // its whole log, when it has ended
}

func start(t *testing.T, name string, env ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(os.Args[0]), log: make(chan string, 1)}
	p.cmd.Env = append([]string{"SHOP_TEST_SERVICE=" + name, "VERSION=v1", "PORT=0", "DRAIN_DELAY=50ms"}, env...)
	p.cmd.Stderr = os.Stderr
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan string, 1)
	go func() {
		var all strings.Builder
		for lines := bufio.NewScanner(out); lines.Scan(); {
			var rec struct{ Msg, Address string }
			if json.Unmarshal(lines.Bytes(), &rec) == nil && rec.Msg == "ready" {
				ready <- "http://" + rec.Address
			}
			all.WriteString(lines.Text() + "\n")
		}
		p.log <- all.String()
	}()
	t.Cleanup(func() { p.cmd.Process.Kill() })
	select {
	case p.url = <-ready:
	case <-time.After(20 * time.Second):
		t.Fatalf("%s did not get ready", name)
	}
	return p
}

// stop ends the process as its orchestrator would and returns its log.
func (p *process) stop(t *testing.T) string {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	log := <-p.log
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("exit: %v\n%s", err, log)
	}
	return log
}

func port(url string) string { return url[strings.LastIndex(url, ":")+1:] }

// TestReleaseV2FailsOnlyItsCohort runs the whole shop as processes under
// traffic, with the bad release of checkout and then with the good one on the
// same port, while customers keep coming.
func TestReleaseV2FailsOnlyItsCohort(t *testing.T) {
	data := "DATA_DIR=" + t.TempDir()
	catalog := start(t, "catalog", data)
	payments := start(t, "payments", data)
	peers := []string{data, "CATALOG_URL=" + catalog.url, "PAYMENTS_URL=" + payments.url}
	checkout := start(t, "checkout", append(peers, "VERSION=v2")...)
	storefront := start(t, "storefront", data, "CATALOG_URL="+catalog.url, "CHECKOUT_URL="+checkout.url)

	crowd := func(seed uint64) []traffic.Result {
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		tr := traffic.New(traffic.Config{StorefrontURL: storefront.url, Rate: 150, Seed: seed})
		if err := tr.Run(ctx); err != nil {
			t.Fatal(err)
		}
		return tr.Results()
	}
	bad := 0
	for _, r := range crowd(1) {
		cohort := r.Action == "checkout" && r.Plan == api.Enterprise && r.Region == api.EUWest
		if r.Dropped > 0 || cohort && r.OK > 0 || !cohort && r.Failed > 0 {
			t.Errorf("with v2: %+v", r)
		}
		bad += r.Failed
	}
	failed, all := requests(t, checkout.url)
	if share := 100 * failed / all; bad == 0 || share < 8 || share > 17 {
		t.Errorf("%.0f of %.0f requests of checkout failed (%.1f %%), customers saw %d", failed, all, share, bad)
	}
	log := checkout.stop(t)
	if !strings.Contains(log, `"msg":"order failed","service":"checkout","order":"o_`) || !strings.Contains(log, `"plan":"enterprise","region":"eu-west"`) {
		t.Errorf("log of v2:\n%.2000s", log)
	}

	checkout = start(t, "checkout", append(peers, "VERSION=v3", "PORT="+port(checkout.url))...)
	sold := 0
	for _, r := range crowd(2) {
		if r.Failed > 0 || r.Dropped > 0 {
			t.Errorf("with v3: %+v", r)
		}
		if r.Action == "checkout" {
			sold += r.OK
		}
	}
	if sold == 0 {
		t.Error("nobody bought anything")
	}
	for _, p := range []*process{storefront, checkout, payments, catalog} {
		p.stop(t)
	}
}

// requests reads checkout's own metrics.
func requests(t *testing.T, url string) (failed, all float64) {
	t.Helper()
	req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, url+"/metrics", nil)
	resp, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	for _, m := range regexp.MustCompile(`(?m)^http_server_requests_total\{code="(.).*service="checkout"\} (.*)$`).FindAllStringSubmatch(string(body), -1) {
		n, _ := strconv.ParseFloat(m[2], 64)
		all += n
		if m[1] == "5" {
			failed += n
		}
	}
	return failed, all
}

// TestRestartOfCheckoutLosesNoOrder replaces checkout under load: customers
// may wait, none may fail.
func TestRestartOfCheckoutLosesNoOrder(t *testing.T) {
	data := "DATA_DIR=" + t.TempDir()
	catalog := start(t, "catalog", data)
	payments := start(t, "payments", data)
	peers := []string{data, "CATALOG_URL=" + catalog.url, "PAYMENTS_URL=" + payments.url}
	checkout := start(t, "checkout", peers...)
	storefront := start(t, "storefront", data, "CATALOG_URL="+catalog.url, "CHECKOUT_URL="+checkout.url)

	ctx, cancel := context.WithCancel(t.Context())
	tr := traffic.New(traffic.Config{StorefrontURL: storefront.url, Rate: 20, Seed: 3})
	done := make(chan error, 1)
	go func() { done <- tr.Run(ctx) }()
	for range 3 {
		before := bought(tr)
		for bought(tr) < before+5 {
			time.Sleep(5 * time.Millisecond) // real orders by real processes
		}
		checkout.stop(t)
		checkout = start(t, "checkout", append(peers, "PORT="+port(checkout.url))...)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	for _, r := range tr.Results() {
		if r.Failed > 0 {
			t.Errorf("lost: %+v", r)
		}
	}
	for _, p := range []*process{storefront, checkout, payments, catalog} {
		p.stop(t)
	}
}

func bought(t *traffic.Traffic) (n int) {
	for _, r := range t.Results() {
		if r.Action == "checkout" {
			n += r.OK
		}
	}
	return n
}

func TestUnknownService(t *testing.T) {
	err := shop.Run(t.Context(), "warehouse")
	if service.ExitCode(err) != 2 || !strings.Contains(err.Error(), "only catalog, checkout, payments, storefront") {
		t.Error(err)
	}
}
