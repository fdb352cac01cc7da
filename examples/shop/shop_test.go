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
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/daytwo-dev/daytwo/examples/shop"
	"github.com/daytwo-dev/daytwo/examples/shop/api"
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
	case <-time.After(3 * time.Minute): // it hangs, then
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

// TestReleaseV2FailsOnlyItsCohort runs the whole shop as processes and has many
// customers buy something: from the bad release of checkout, and then from the
// good one on the same port.
func TestReleaseV2FailsOnlyItsCohort(t *testing.T) {
	data := "DATA_DIR=" + t.TempDir()
	catalog := start(t, "catalog", data)
	payments := start(t, "payments", data)
	peers := []string{data, "CATALOG_URL=" + catalog.url, "PAYMENTS_URL=" + payments.url}
	checkout := start(t, "checkout", append(peers, "VERSION=v2")...)
	storefront := start(t, "storefront", data, "CATALOG_URL="+catalog.url, "CHECKOUT_URL="+checkout.url)

	const customers = 80
	buy := func(n int) (api.Customer, int) {
		c := api.CustomerNumber(n)
		if code := send(t, c, storefront.url+"/cart/items", `{"sku":"A001","quantity":2}`); code != http.StatusOK {
			t.Fatalf("adding to the cart answers %d", code)
		}
		return c, send(t, c, storefront.url+"/checkout", "")
	}
	failed := 0
	for n := range customers {
		c, code := buy(n)
		cohort := c.Plan == api.Enterprise && c.Region == api.EUWest
		if cohort {
			failed++
		}
		if cohort != (code == http.StatusBadGateway) || !cohort && code != http.StatusOK && code != http.StatusPaymentRequired {
			t.Errorf("with v2, %s in %s: %d", c.Plan, c.Region, code)
		}
	}
	if metrics := get(t, checkout.url+"/metrics"); failed == 0 || !strings.Contains(metrics,
		fmt.Sprintf(`http_server_requests_total{code="500",method="POST",route="/orders",service="checkout"} %d`, failed)) ||
		!strings.Contains(metrics, fmt.Sprintf(`orders_total{plan="enterprise",region="eu-west",result="failed",service="checkout"} %d`, failed)) {
		t.Errorf("%d failures are not in the metrics:\n%s", failed, metrics)
	}
	log := checkout.stop(t)
	if !strings.Contains(log, `"msg":"order failed","service":"checkout","order":"o_`) || !strings.Contains(log, `"plan":"enterprise","region":"eu-west"`) {
		t.Errorf("log of v2:\n%.2000s", log)
	}

	checkout = start(t, "checkout", append(peers, "VERSION=v3", "PORT="+port(checkout.url))...)
	for n := range customers {
		if c, code := buy(n); code != http.StatusOK && code != http.StatusPaymentRequired {
			t.Errorf("with v3, %s in %s: %d", c.Plan, c.Region, code)
		}
	}
	for _, p := range []*process{storefront, checkout, payments, catalog} {
		p.stop(t)
	}
}

var client = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}

func send(t *testing.T, c api.Customer, url, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(api.CustomerHeader, c.ID)
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

func get(t *testing.T, url string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// TestRestartOfCheckoutLosesNoOrder replaces checkout while customers buy. How
// long they wait depends on the machine, so who is told that it did not work
// asks again: in the end each has the order once, however slow it was.
func TestRestartOfCheckoutLosesNoOrder(t *testing.T) {
	data := "DATA_DIR=" + t.TempDir()
	catalog := start(t, "catalog", data)
	payments := start(t, "payments", data)
	peers := []string{data, "CATALOG_URL=" + catalog.url, "PAYMENTS_URL=" + payments.url}
	checkout := start(t, "checkout", peers...)
	storefront := start(t, "storefront", data, "CATALOG_URL="+catalog.url, "CHECKOUT_URL="+checkout.url)

	const restarts, between, atOnce = 3, 5, 4
	numbers, bought := make(chan int), make(chan int, 1000)
	var customers sync.WaitGroup
	for range atOnce {
		customers.Go(func() {
			for n := range numbers {
				if buyOnce(t, storefront.url, n) {
					bought <- n
				}
			}
		})
	}
	// A buyer is always on the way, so every restart meets some.
	next := 0
	sell := func(n int) {
		for len(bought) < n && !t.Failed() {
			numbers <- next
			next++
		}
	}
	for n := range restarts {
		sell((n + 1) * between)
		checkout.stop(t)
		checkout = start(t, "checkout", append(peers, "PORT="+port(checkout.url))...)
	}
	sell((restarts + 1) * between)
	close(numbers)
	customers.Wait()
	close(bought)
	for n := range bought {
		var orders []api.Order
		if err := json.Unmarshal([]byte(asked(t, api.CustomerNumber(n), storefront.url+"/orders")), &orders); err != nil || len(orders) != 1 {
			t.Errorf("customer %d bought once and has %d orders (%v)", n, len(orders), err)
		}
	}
	for _, p := range []*process{storefront, checkout, payments, catalog} {
		p.stop(t)
	}
}

// buyOnce lets a customer buy, however often they have to ask; false means that
// the card was declined.
func buyOnce(t *testing.T, storefront string, n int) bool {
	c := api.CustomerNumber(n)
	for _, ask := range []struct{ path, body string }{{"/cart/items", `{"sku":"A001","quantity":2}`}, {"/checkout", ""}} {
		for {
			code := send(t, c, storefront+ask.path, ask.body)
			if code == http.StatusPaymentRequired {
				return false
			}
			if code < 300 {
				break
			}
			if code < 500 || t.Context().Err() != nil {
				t.Errorf("customer %d: %s answers %d", n, ask.path, code)
				return false
			}
		}
	}
	return true
}

// asked is the answer to a customer.
func asked(t *testing.T, c api.Customer, url string) string {
	t.Helper()
	for {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set(api.CustomerHeader, c.ID)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode < 500 {
			return string(body)
		}
	}
}

func TestUnknownService(t *testing.T) {
	err := shop.Run(t.Context(), "warehouse")
	if service.ExitCode(err) != 2 || !strings.Contains(err.Error(), "only catalog, checkout, payments, storefront") {
		t.Error(err)
	}
}
