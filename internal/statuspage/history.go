package statuspage

import (
	"context"
	"time"
)

const (
	historyDays = 90
	listedDays  = 14             // of which troubles are listed one by one
	chunkDays   = 7              // of the past are read at once
	settleEvery = time.Hour      // how often the past grows
	day24       = 24 * time.Hour // in UTC, which has no other days
)

// history is what services endured before the days of which troubles are listed. There may have been any number of troubles: each
// is read once and folded into the time that it took.
type history struct {
	services map[string]*settled
}

type settled struct {
	endured
	through time.Time // troubles that ended before are in it
}

// settle brings the past of a service up to a time.
func (h *history) settle(ctx context.Context, read Troubles, service string, now time.Time) (*settled, error) {
	until := listedSince(now)
	if h.services == nil {
		h.services = map[string]*settled{}
	}
	past := h.services[service]
	if past == nil {
		past = &settled{through: now.AddDate(0, 0, -historyDays)}
	}
	for past.through.Before(until) {
		to := past.through.AddDate(0, 0, chunkDays)
		if to.After(until) {
			to = until
		}
		list, err := read(ctx, service, past.through, to, false)
		if err != nil {
			return nil, err
		}
		for _, t := range list {
			past.add(t, now)
		}
		past.merge()
		past.through = to
	}
	past.down, past.slow = past.down.since(now.AddDate(0, 0, -historyDays)), past.slow.since(now.AddDate(0, 0, -historyDays))
	h.services[service] = past
	return past, nil
}

// listedSince is from when on troubles are listed.
func listedSince(now time.Time) time.Time {
	return now.AddDate(0, 0, -listedDays).Truncate(settleEvery)
}

// forget drops what is not shown any more.
func (h *history) forget(shown []string) {
	keep := map[string]*settled{}
	for _, s := range shown {
		if past := h.services[s]; past != nil {
			keep[s] = past
		}
	}
	h.services = keep
}
