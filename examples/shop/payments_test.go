package shop_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/examples/shop/api"
)

// TestCheckoutSurvivesPayments takes payments away, first dead, then so slow
// that it might as well be. Customers still buy; the breaker opens, refuses
// without asking, and closes again when payments is back; and every order is
// charged in the end.
func TestCheckoutSurvivesPayments(t *testing.T) {
	if testing.Short() {
		t.Skip("-short: real processes are killed and slowed, which takes several seconds")
	}
	data := "DATA_DIR=" + t.TempDir()
	catalog := start(t, "catalog", data)
	payments := start(t, "payments", data)
	at := "PORT=" + port(payments.url)
	checkout := start(t, "checkout", data, "CATALOG_URL="+catalog.url, "PAYMENTS_URL="+payments.url)
	storefront := start(t, "storefront", data, "CATALOG_URL="+catalog.url, "CHECKOUT_URL="+checkout.url)

	customer := 0
	buy := func() {
		t.Helper()
		c := api.CustomerNumber(customer)
		customer++
		send(t, c, storefront.url+"/cart/items", `{"sku":"A001","quantity":2}`)
		began := time.Now()
		if code := send(t, c, storefront.url+"/checkout", ""); code != http.StatusOK && code != http.StatusPaymentRequired {
			t.Errorf("customer %d: checkout answers %d", customer-1, code)
		}
		if took := time.Since(began); took > 20*time.Second {
			t.Errorf("customer %d waited %v for a payments service that takes a minute", customer-1, took)
		}
	}
	breaker := func(want string) {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) { // polls a real process
			if strings.Contains(get(t, checkout.url+"/metrics"), `stability_breaker_open{name="payments",service="checkout"} `+want+"\n") {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the breaker did not become %s:\n%s", want, get(t, checkout.url+"/metrics"))
			}
			if want == "1" {
				buy()
			}
		}
	}

	buy()
	breaker("0")
	if err := payments.cmd.Process.Kill(); err != nil { // dead
		t.Fatal(err)
	}
	<-payments.log
	_ = payments.cmd.Wait()
	breaker("1")
	for range 5 {
		buy()
	}
	if ready := get(t, checkout.url+"/readyz"); !strings.Contains(ready, `"ready":true`) {
		t.Errorf("checkout gives up with payments: %s", ready)
	}
	payments = start(t, "payments", data, at)
	breaker("0")
	payments.stop(t)

	payments = start(t, "payments", data, at, "BANK_DELAY=1m", "DRAIN_TIMEOUT=100ms") // slow
	breaker("1")
	for range 5 {
		buy()
	}
	_ = payments.cmd.Process.Kill()
	<-payments.log
	_ = payments.cmd.Wait()
	payments = start(t, "payments", data, at)
	breaker("0")

	for n := range customer {
		for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) { // polls a real process
			var orders []api.Order
			if err := json.Unmarshal([]byte(asked(t, api.CustomerNumber(n), storefront.url+"/orders")), &orders); err != nil {
				t.Fatal(err)
			}
			if len(orders) == 0 || orders[0].Status != "pending" { // none: the card was declined
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("customer %d was never charged", n)
			}
		}
	}
	if log := checkout.stop(t); !strings.Contains(log, `"policy":"breaker","decision":"opened"`) || !strings.Contains(log, `"msg":"charged at last"`) {
		t.Errorf("log of checkout:\n%.3000s", log)
	}
	for _, p := range []*process{storefront, payments, catalog} {
		p.stop(t)
	}
}
