// Package traffic makes customers for the shop: an open load, so that a slow
// shop does not get fewer of them, with a mix of plans, regions and wishes.
package traffic

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/examples/shop/api"
)

// Config says whom to visit and how often.
type Config struct {
	StorefrontURL string
	Rate          float64 // requests a second to the storefront; default 20
	Customers     int     // how many different ones; default 400
	Seed          uint64  // the same seed, the same customers in the same order
	Logger        *slog.Logger
}

// maxInFlight bounds the requests on their way; what comes on top is dropped
// and counted.
const maxInFlight = 200

// Result counts requests of a kind.
type Result struct {
	Action  string // home, browse, search, view, add, cart, checkout, orders
	Plan    api.Plan
	Region  api.Region
	OK      int // answered below 400
	Refused int // answered 4xx: a declined card, a full cart
	Failed  int // answered 5xx or not at all
	Dropped int // not sent, too many were on their way
}

// Traffic is a crowd of customers.
type Traffic struct {
	Config
	client    *http.Client
	rand      *rand.Rand
	customers []*customer
	weights   []int // running sum of how busy customers are

	mu      sync.Mutex
	results map[[3]string]*Result
}

type customer struct {
	api.Customer
	mu   sync.Mutex // held during a visit: one at a time
	cart int        // items in it, as far as we know
}

// habits of customers by plan: how often they come, and of a hundred visits
// with something in the cart how many buy.
var habits = map[api.Plan]struct{ visits, buys int }{
	api.Free: {4, 30}, api.Team: {7, 45}, api.Enterprise: {16, 60},
}

// New gathers the customers.
func New(c Config) *Traffic {
	c.Rate, c.Customers = cmp.Or(c.Rate, 20), cmp.Or(c.Customers, 400)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 32
	t := &Traffic{
		Config: c, results: map[[3]string]*Result{}, rand: rand.New(rand.NewPCG(c.Seed, 20)),
		client: &http.Client{Transport: transport, Timeout: 15 * time.Second},
	}
	sum := 0
	for i := range c.Customers {
		p := &customer{Customer: api.CustomerNumber(i)}
		sum += habits[p.Plan].visits
		t.customers, t.weights = append(t.customers, p), append(t.weights, sum)
	}
	return t
}

// Run is New(c).Run(ctx).
func Run(ctx context.Context, c Config) error { return New(c).Run(ctx) }

// Run sends customers until ctx ends, at random intervals around the rate. It
// returns nil once the last one has left.
func (t *Traffic) Run(ctx context.Context) error {
	var visits sync.WaitGroup
	defer t.client.CloseIdleConnections()
	defer visits.Wait()
	places := make(chan struct{}, maxInFlight)
	mean := float64(time.Second) / t.Rate
	report := time.Now().Add(time.Minute)
	timer := time.NewTimer(0)
	defer timer.Stop()
	for due := time.Now(); ; {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		c := t.choose()
		step := t.next(c)
		select {
		case places <- struct{}{}:
			visits.Go(func() {
				defer func() { <-places }()
				t.visit(ctx, c, step)
			})
		default:
			t.count(c, step.action, func(r *Result) { r.Dropped++ })
		}
		if time.Now().After(report) {
			t.Logger.Info("traffic", "results", t.summary())
			report = time.Now().Add(time.Minute)
		}
		due = due.Add(time.Duration(mean * (0.5 + t.rand.Float64())))
		timer.Reset(time.Until(due))
	}
}

// choose returns a customer who has time.
func (t *Traffic) choose() *customer {
	for range 10 {
		n := t.rand.IntN(t.weights[len(t.weights)-1])
		i, _ := slices.BinarySearch(t.weights, n+1)
		c := t.customers[i]
		if c.mu.TryLock() {
			c.mu.Unlock()
			return c
		}
	}
	return t.customers[t.rand.IntN(len(t.customers))]
}

// step is one thing a customer does.
type step struct {
	action, method, path string
	body                 any
}

// next is what the customer does now.
func (t *Traffic) next(c *customer) step {
	sku := fmt.Sprintf("%c%03d", 'A'+t.rand.IntN(6), 1+t.rand.IntN(20))
	get := func(action, path string) step { return step{action, http.MethodGet, path, nil} }
	roll, cart := t.rand.IntN(100), 0
	if c.mu.TryLock() {
		cart = c.cart
		c.mu.Unlock()
	}
	if cart > 0 && roll < habits[c.Plan].buys {
		return step{"checkout", http.MethodPost, "/checkout", nil}
	}
	switch roll = t.rand.IntN(100); {
	case roll < 10:
		return get("home", "/")
	case roll < 25:
		return get("browse", "/products?category="+oneOf(t.rand, "desk", "furniture", "audio", "paper", "kitchen"))
	case roll < 35:
		return get("search", "/search?q="+url.QueryEscape(oneOf(t.rand, "oak", "pro", "keyboard", "desk lamp", "mug", "chair", "pen")))
	case roll < 55:
		return get("view", "/products/"+sku)
	case roll < 90:
		return step{"add", http.MethodPost, "/cart/items", api.Item{SKU: sku, Quantity: 1 + t.rand.IntN(3)}}
	case roll < 95:
		return get("cart", "/cart")
	}
	return get("orders", "/orders")
}

func oneOf(r *rand.Rand, of ...string) string { return of[r.IntN(len(of))] }

// visit makes the request and counts what became of it.
func (t *Traffic) visit(ctx context.Context, c *customer, s step) {
	c.mu.Lock()
	defer c.mu.Unlock()
	code, err := t.send(ctx, c, s)
	if ctx.Err() != nil {
		return
	}
	t.count(c, s.action, func(r *Result) {
		switch {
		case err != nil || code >= 500:
			r.Failed++
		case code >= 400:
			r.Refused++
		default:
			r.OK++
		}
	})
	switch {
	case s.action == "checkout":
		c.cart = 0 // bought, or gave up
	case s.action == "add":
		c.cart++
	}
}

func (t *Traffic) send(ctx context.Context, c *customer, s step) (code int, err error) {
	body, err := json.Marshal(s.body)
	if err != nil {
		return 0, err
	}
	req, err := http.NewRequestWithContext(ctx, s.method, t.StorefrontURL+s.path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	req.Header.Set(api.CustomerHeader, c.ID)
	resp, err := t.client.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	_, err = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode, err
}

func (t *Traffic) count(c *customer, action string, add func(*Result)) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := [3]string{action, string(c.Plan), string(c.Region)}
	r := t.results[key]
	if r == nil {
		r = &Result{Action: action, Plan: c.Plan, Region: c.Region}
		t.results[key] = r
	}
	add(r)
}

// Results counts everything so far, by action, plan and region.
func (t *Traffic) Results() []Result {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]Result, 0, len(t.results))
	for _, r := range t.results {
		all = append(all, *r)
	}
	slices.SortFunc(all, func(a, b Result) int {
		return cmp.Or(cmp.Compare(a.Action, b.Action), cmp.Compare(a.Plan, b.Plan), cmp.Compare(a.Region, b.Region))
	})
	return all
}

// summary adds the results up by plan and region.
func (t *Traffic) summary() map[string]string {
	sums := map[string]Result{}
	for _, r := range t.Results() {
		key := string(r.Plan) + "/" + string(r.Region)
		s := sums[key]
		sums[key] = Result{OK: s.OK + r.OK, Refused: s.Refused + r.Refused, Failed: s.Failed + r.Failed, Dropped: s.Dropped + r.Dropped}
	}
	text := map[string]string{}
	for key, s := range sums {
		text[key] = fmt.Sprintf("%d ok, %d refused, %d failed, %d dropped", s.OK, s.Refused, s.Failed, s.Dropped)
	}
	return text
}
