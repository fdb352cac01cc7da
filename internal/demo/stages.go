package demo

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// baseline is how long the shop runs well before the bad version goes out, so
// that the graphs have something to compare with.
const baseline = 20 * time.Second

// plot is the demo's failure: checkout v2 fails for one plan in one region.
type plot struct {
	api      *api
	mail     func() Mail
	bad      string // manifest of checkout v2
	shop     []string
	cast     map[string]*api
	incident incidentView // the one that the story is about, once seen
	since    time.Time    // when the shop had settled
}

// stages is the story, in the words of the loop. What a later stage needs of
// an earlier one it asks the platform for, so that a restarted demo goes on.
func (p *plot) stages() []stage {
	return []stage{
		{name: "ship", hint: "the shop starts and takes traffic; then checkout v2 goes out", link: "/workloads",
			act: p.ship, closed: p.shipped},
		{name: "run", hint: "every workload is running and ready, checkout in its new version", link: "/workloads",
			closed: p.running},
		{name: "observe", hint: "watch checkout's errors rise for one plan in one region", link: "/services/checkout",
			closed: p.failing},
		{name: "detect", hint: "the error budget burns too fast: an alert fires", link: "/alerts",
			closed: p.alerting},
		{name: "page", hint: "the person on call is paged by e-mail and webhook", link: "/demo/mailbox",
			closed: p.paged},
		{name: "diagnose", hint: "open the incident, acknowledge it, and see what changed", link: "/incidents",
			play: p.acknowledge, closed: p.diagnosed},
		{name: "mitigate", hint: "press “Roll back” on the incident and watch it recover", link: "/incidents",
			play: p.rollBack, closed: p.recovered},
		{name: "learn", hint: "read the postmortem that was begun for you", link: "/postmortems",
			closed: p.learned},
	}
}

func (p *plot) ship(ctx context.Context) error {
	if p.since.IsZero() {
		if missing, err := p.settled(ctx); err != nil || missing != "" {
			return firstError(err, missing)
		}
		p.since = time.Now()
	}
	if left := baseline - time.Since(p.since); left > 0 {
		return fmt.Errorf("the shop runs well for another %.0f s first", left.Seconds())
	}
	who, err := p.as(ctx, developer)
	if err != nil {
		return err
	}
	return who.call(ctx, http.MethodPost, "/api/workloads", map[string]string{"manifest": p.bad}, nil)
}

// settled says what the shop still lacks before the story can begin.
func (p *plot) settled(ctx context.Context) (missing string, err error) {
	workloads, err := list[workload](ctx, p.api, "/api/workloads")
	if err != nil {
		return "", err
	}
	ready := map[string]bool{}
	for _, w := range workloads {
		ready[w.Name] = w.Ready
	}
	for _, name := range p.shop {
		if !ready[name] {
			return name + " is not ready yet", nil
		}
	}
	rate, ok, err := p.api.query(ctx, `sum(rate(http_server_requests_total{service="checkout"}[10s]))`)
	if err == nil && (!ok || rate == 0) {
		missing = "no traffic is measured at checkout yet"
	}
	return missing, err
}

func (p *plot) shipped(ctx context.Context) (bool, string, error) {
	revisions, err := list[struct{ Version string }](ctx, p.api, "/api/workloads/checkout/revisions")
	for _, r := range revisions {
		if r.Version == "v2" {
			return true, "", err
		}
	}
	return false, "checkout v2 is not deployed yet", err
}

func (p *plot) running(ctx context.Context) (bool, string, error) {
	workloads, err := list[workload](ctx, p.api, "/api/workloads")
	if err != nil {
		return false, "", err
	}
	for _, w := range workloads {
		if !w.Ready {
			return false, w.Name + " is " + w.Status, nil
		}
	}
	return len(workloads) == len(p.shop), "not every workload is there", nil
}

func (p *plot) failing(ctx context.Context) (bool, string, error) {
	ratio, ok, err := p.api.query(ctx,
		`sum(rate(http_server_requests_total{service="checkout",code=~"5.."}[10s])) / sum(rate(http_server_requests_total{service="checkout"}[10s]))`)
	if err != nil || !ok {
		return false, "no errors of checkout are measured yet", err
	}
	return ratio > 0.005, fmt.Sprintf("%.2f %% of checkout's requests fail", ratio*100), nil
}

func (p *plot) alerting(ctx context.Context) (bool, string, error) {
	alerts, err := list[alertView](ctx, p.api, "/api/alerts?service=checkout")
	return len(alerts) > 0, "no alert has fired yet", err
}

func (p *plot) paged(ctx context.Context) (bool, string, error) {
	if missing, err := p.find(ctx); err != nil || missing != "" {
		return false, missing, err
	}
	mail := p.mail()
	switch {
	case len(mail.Emails) == 0:
		return false, "no e-mail has arrived yet", nil
	case len(mail.Webhooks) == 0:
		return false, "no webhook has arrived yet", nil
	}
	return true, "", nil
}

// find loads the incident of the story: the latest of checkout.
func (p *plot) find(ctx context.Context) (missing string, err error) {
	incidents, err := list[incidentView](ctx, p.api, "/api/incidents?service=checkout&limit=1")
	if err != nil {
		return "", err
	}
	if len(incidents) == 0 {
		return "no incident is open yet", nil
	}
	p.incident = incidents[0]
	return "", nil
}

func (p *plot) acknowledge(ctx context.Context) error {
	if missing, err := p.find(ctx); err != nil || missing != "" {
		return firstError(err, missing)
	}
	who, err := p.as(ctx, onCall)
	if err != nil {
		return err
	}
	return who.call(ctx, http.MethodPost, p.incidentPath("ack"), struct{}{}, nil)
}

func (p *plot) diagnosed(ctx context.Context) (bool, string, error) {
	if missing, err := p.find(ctx); err != nil || missing != "" {
		return false, missing, err
	}
	prime, err := p.primeSuspect(ctx)
	switch {
	case err != nil:
		return false, "", err
	case prime == nil || prime.Entry.Data["version"] != "v2":
		return false, "checkout v2 is not the prime suspect yet", nil
	case p.incident.AcknowledgedAt == nil && p.incident.Status != "resolved":
		return false, "the incident is not acknowledged yet", nil
	}
	return true, "", nil
}

// primeSuspect returns the change that the platform suspects most.
func (p *plot) primeSuspect(ctx context.Context) (*suspect, error) {
	suspects, err := list[suspect](ctx, p.api, p.incidentPath("suspects"))
	if err != nil || len(suspects) == 0 {
		return nil, err
	}
	return &suspects[0], nil
}

func (p *plot) rollBack(ctx context.Context) error {
	if missing, err := p.find(ctx); err != nil || missing != "" {
		return firstError(err, missing)
	}
	prime, err := p.primeSuspect(ctx)
	if err != nil {
		return err
	}
	if prime == nil || prime.Action == nil {
		return fmt.Errorf("the prime suspect offers no rollback")
	}
	who, err := p.as(ctx, onCall)
	if err != nil {
		return err
	}
	return who.call(ctx, http.MethodPost, p.incidentPath("rollback"),
		map[string]any{"workload": prime.Action.Workload, "revision": prime.Action.Revision}, nil)
}

func (p *plot) recovered(ctx context.Context) (bool, string, error) {
	if missing, err := p.find(ctx); err != nil || missing != "" {
		return false, missing, err
	}
	var w workload
	if err := p.api.call(ctx, http.MethodGet, "/api/workloads/checkout", nil, &w); err != nil {
		return false, "", err
	}
	switch {
	case w.Version == "v2":
		return false, "checkout still runs v2", nil
	case p.incident.Status != "resolved":
		return false, "the incident is " + p.incident.Status, nil
	}
	return true, "", nil
}

func (p *plot) learned(ctx context.Context) (bool, string, error) {
	if missing, err := p.find(ctx); err != nil || missing != "" {
		return false, missing, err
	}
	all, err := list[postmortem](ctx, p.api, "/api/postmortems")
	if err != nil {
		return false, "", err
	}
	for _, found := range all {
		if found.IncidentID == p.incident.ID {
			return p.complete(ctx, found.ID)
		}
	}
	return false, "no postmortem was begun yet", nil
}

// complete looks whether the postmortem tells the story from change to end.
func (p *plot) complete(ctx context.Context, id string) (bool, string, error) {
	var pm postmortem
	if err := p.api.call(ctx, http.MethodGet, "/api/postmortems/"+url.PathEscape(id), nil, &pm); err != nil {
		return false, "", err
	}
	told := map[string]bool{}
	for _, e := range pm.Timeline {
		told[e.Kind+" "+e.Action] = true
	}
	for _, want := range []string{"change deploy", "alert fired", "incident opened", "page sent", "change rollback", "incident resolved"} {
		if !told[want] {
			return false, "the postmortem's timeline lacks: " + want, nil
		}
	}
	return true, "", nil
}

func (p *plot) incidentPath(rest string) string {
	return "/api/incidents/" + url.PathEscape(p.incident.ID) + "/" + rest
}

func firstError(err error, missing string) error {
	if err != nil {
		return err
	}
	return fmt.Errorf("%s", missing)
}
