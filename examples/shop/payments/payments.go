// Package payments is the shop's service that charges cards.
package payments

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"hash/fnv"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/daytwo-dev/daytwo/examples/shop/api"
	"github.com/daytwo-dev/daytwo/examples/shop/db"
	"github.com/daytwo-dev/daytwo/service"
)

const schema = `
CREATE TABLE IF NOT EXISTS charges (
	id TEXT PRIMARY KEY, order_id TEXT NOT NULL UNIQUE, customer TEXT NOT NULL,
	amount INTEGER NOT NULL, status TEXT NOT NULL, at INTEGER NOT NULL);`

type config struct {
	db.Config
	BankDelay time.Duration `env:"BANK_DELAY" default:"0s" help:"how much longer the bank takes than it should"`
}

// Main runs the service until ctx ends.
func Main(ctx context.Context, p service.Process) error {
	return service.Run(ctx, p, "payments", func(ctx context.Context, s *service.Service, c config) error {
		d, err := db.Open(ctx, s, c.Config, schema)
		if err != nil {
			return err
		}
		till := &till{db: d, delay: c.BankDelay, cents: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "payments_cents_total", Help: "Money asked for, in US cents.",
		}, []string{"result"})}
		s.Metrics().MustRegister(till.cents)
		api.Handle(s, "POST /charges", till.charge)
		return nil
	})
}

type till struct {
	db    *sql.DB
	delay time.Duration
	cents *prometheus.CounterVec
}

// charge takes the money for an order once, however often it is asked to.
func (t *till) charge(r *http.Request) (any, error) {
	in, err := api.Body[api.NewCharge](r)
	if err != nil {
		return nil, err
	}
	if in.Order == "" || in.Amount <= 0 {
		return nil, api.Errorf(http.StatusBadRequest, "a charge needs an order and an amount")
	}
	ctx := r.Context()
	done := api.Charge{Order: in.Order}
	err = t.db.QueryRowContext(ctx, `SELECT id, amount, status FROM charges WHERE order_id = ?`, in.Order).
		Scan(&done.ID, &done.Amount, &done.Status)
	if err == nil || !errors.Is(err, sql.ErrNoRows) {
		return done, err
	}
	done, err = t.askBank(ctx, in)
	if err != nil {
		return nil, err
	}
	_, err = t.db.ExecContext(ctx, `INSERT INTO charges VALUES (?, ?, ?, ?, ?, ?)`,
		done.ID, done.Order, in.Customer, done.Amount, done.Status, time.Now().Unix())
	t.cents.WithLabelValues(done.Status).Add(float64(done.Amount))
	return done, err
}

// askBank stands for the bank: it takes its time, and refuses one card in
// sixty.
func (t *till) askBank(ctx context.Context, in api.NewCharge) (api.Charge, error) {
	h := fnv.New32a()
	h.Write([]byte(in.Order))
	luck := h.Sum32()
	wait := time.NewTimer(t.delay + time.Duration(4+luck%25)*time.Millisecond)
	defer wait.Stop()
	select {
	case <-wait.C:
	case <-ctx.Done():
		return api.Charge{}, ctx.Err()
	}
	c := api.Charge{ID: "ch_" + rand.Text()[:12], Order: in.Order, Amount: in.Amount, Status: "paid"}
	if luck/25%60 == 0 {
		c.Status = "declined"
	}
	return c, nil
}
