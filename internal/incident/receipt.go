package incident

import (
	"context"
	"fmt"
	"time"

	"github.com/daytwo-dev/daytwo/internal/notify"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// decideReceipt says what a provider's word about a message makes of a page: its new status, or that it stays. Words come late, twice
// and in any order. That it arrived is believed until the incident was taken; that it did not, of a message that the provider took, or
// whose first attempt it overtook: one that is tried again has another chance, since the word may be about the attempt before.
func decideReceipt(status string, attempts int, arrived bool) (to, reason string) {
	switch {
	case status == "delivered":
		return "", "it arrived already"
	case status == "canceled":
		return "", "it was taken back"
	case status == "due":
		return "", "it was not sent yet"
	case arrived:
		return "delivered", "the provider says that it arrived"
	case status == "sent" || status == "sending" && attempts == 1:
		return "exhausted", "the provider says that it did not arrive"
	}
	return "", "it is tried again, or given up"
}

// Receipt takes the word of a provider about the message of that id: it arrived, or not and why. One that did not arrive is given up,
// so that the person's next channel, or the next step of the escalation, comes at once. A message that is not known changes nothing.
func (s *Incidents) Receipt(ctx context.Context, message string, arrived bool, detail string) error {
	return s.write(ctx, func(tx *store.Tx) error {
		pages, err := query(ctx, tx, scanAttempt, `SELECT `+attemptColumns+` FROM pages p JOIN incidents i ON i.id = p.incident_id
			WHERE p.id = ? AND p.bundle = '' OR p.bundle = ? AND p.bundle <> '' ORDER BY p.id`, clip(message, 100), clip(message, 100))
		if err != nil {
			return err
		}
		tx.OnCommit(s.ring)
		for _, p := range pages {
			if err := s.takeReceipt(ctx, tx, p, len(pages), arrived, clip(detail, maxTitle)); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *Incidents) takeReceipt(ctx context.Context, tx *store.Tx, a attempt, together int, arrived bool, detail string) error {
	to, reason := decideReceipt(a.Status, a.Attempts, arrived)
	i, err := findIncident(ctx, tx, `i.id = ?`, a.incident)
	if err != nil || i == nil || to == "" {
		return err
	}
	now, why := s.clock(), ""
	if a.Status == "sending" { // the receipt overtook the answer, which will find that the page is not being sent any more
		if err := s.recordSent(ctx, tx, *i, a, together, now); err != nil {
			return err
		}
		if i, err = findIncident(ctx, tx, `i.id = ?`, a.incident); err != nil {
			return err
		}
	}
	if !arrived {
		why = reason + ": " + detail
	}
	if _, err := tx.Exec(ctx, `UPDATE pages SET status = ?, at = ?, wake_at = 0, error = ? WHERE id = ?`, to, now, why, a.ID); err != nil {
		return fmt.Errorf("record receipt: %w", err)
	}
	if err := s.notePage(ctx, tx, a.ID); err != nil {
		return err
	}
	switch {
	case arrived:
		tx.OnCommit(func() { s.metrics.pages.WithLabelValues(a.Channel, "delivered").Inc() })
		return s.writeLog(ctx, tx, i.ID, "delivered", self, fmt.Sprintf("%s has the page by %s (%s): %s", a.Person, a.Channel,
			notify.Address{Channel: a.Channel, To: a.to}, detail))
	case i.wants(a.Kind):
		return s.recordExhausted(ctx, tx, *i, a, why, time.Time{}, false) // it was sent, so the escalation relied on it
	}
	return nil // somebody has it already
}
