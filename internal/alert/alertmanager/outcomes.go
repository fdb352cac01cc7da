package alertmanager

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/common/model"
)

// Outcome is what the last try to notify somebody of an alert came to, since this process began.
type Outcome struct {
	Receiver    string    `json:"receiver"`
	Integration string    `json:"integration" doc:"webhook[0], email[1] …"`
	At          time.Time `json:"at"`
	Ended       bool      `json:"ended" doc:"what was told is that the alert is over"`
	Error       string    `json:"error,omitempty" doc:"why it failed; empty: it was taken"`
}

const (
	maxOutcomes  = 10_000 // alerts whose outcomes are remembered; one more takes the place of any other
	maxReason    = 500    // bytes of an error
	outcomeStays = 24 * time.Hour
)

// outcomes remembers them by alert and by receiver's integration.
type outcomes struct {
	mu sync.Mutex
	of map[model.Fingerprint]map[string]Outcome
}

// watched are receivers whose outcomes are remembered.
func (o *outcomes) watched(receivers map[string][]notify.Integration) map[string][]notify.Integration {
	all := make(map[string][]notify.Integration, len(receivers))
	for name, integrations := range receivers {
		for _, one := range integrations {
			all[name] = append(all[name], notify.NewIntegration(&watchedIntegration{one, o, name}, &one, one.Name(), one.Index(), name))
		}
	}
	return all
}

type watchedIntegration struct {
	notify.Integration
	told     *outcomes
	receiver string
}

// Notify implements notify.Notifier.
func (w *watchedIntegration) Notify(ctx context.Context, alerts ...*Alert) (retry bool, err error) {
	retry, err = w.Integration.Notify(ctx, alerts...)
	one := Outcome{Receiver: w.receiver, Integration: w.String(), At: time.Now().UTC()}
	if err != nil {
		text := withoutAddress(err)
		one.Error = strings.ToValidUTF8(text[:min(len(text), maxReason)], "")
	}
	w.told.remember(one, alerts)
	return retry, err
}

// withoutAddress is the text of an error without the URL that was called, which holds a secret with some receivers (Telegram, Slack).
func withoutAddress(err error) string {
	text := err.Error()
	if u, ok := errors.AsType[*url.Error](err); ok && u.URL != "" {
		text = strings.ReplaceAll(strings.ReplaceAll(text, strconv.Quote(u.URL), "its address"), u.URL, "its address")
	}
	return text
}

func (o *outcomes) remember(one Outcome, alerts []*Alert) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.of == nil {
		o.of = map[model.Fingerprint]map[string]Outcome{}
	}
	for _, a := range alerts {
		of := a.Fingerprint()
		if o.of[of] == nil {
			if len(o.of) >= maxOutcomes {
				for any := range o.of {
					delete(o.of, any)
					break
				}
			}
			o.of[of] = map[string]Outcome{}
		}
		one.Ended = a.Resolved()
		o.of[of][one.Receiver+"/"+one.Integration] = one
	}
}

// about lists what is remembered of an alert, by receiver.
func (o *outcomes) about(lset model.LabelSet) []Outcome {
	o.mu.Lock()
	defer o.mu.Unlock()
	all := slices.AppendSeq([]Outcome{}, maps.Values(o.of[lset.Fingerprint()]))
	slices.SortFunc(all, func(a, b Outcome) int {
		return cmp.Or(strings.Compare(a.Receiver, b.Receiver), strings.Compare(a.Integration, b.Integration))
	})
	return all
}

// forget forgets outcomes of long ago.
func (o *outcomes) forget(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for of, all := range o.of {
		maps.DeleteFunc(all, func(_ string, one Outcome) bool { return now.Sub(one.At) > outcomeStays })
		if len(all) == 0 {
			delete(o.of, of)
		}
	}
}
