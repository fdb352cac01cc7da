package alertmanager

import (
	"errors"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/config/receiver"
	"github.com/prometheus/alertmanager/dispatch"
	"github.com/prometheus/alertmanager/featurecontrol"
	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/notify"
	"github.com/prometheus/alertmanager/template"
	"github.com/prometheus/alertmanager/timeinterval"

	"github.com/daytwo-dev/daytwo/internal/configfile"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// FileName is how the file is called in the operations directory.
const FileName = "alertmanager.yml"

// builtIn is in force where there is no alertmanager.yml: every alert is for its service's escalation policy, at once.
const builtIn = `route: {receiver: daytwo, group_by: [service], group_wait: 0s}
receivers: [{name: daytwo}]
`

// How a receiver says whether its alerts become incidents here.
const (
	incidentReceiver = "daytwo"   // the name of a receiver that does nothing else
	incidentLabel    = "daytwo"   // a label of any receiver …
	labelIncident    = "incident" // … that opens incidents beside its notifications
	labelNone        = "none"     // … that never does, not even at the root of the tree
)

// Routing is an alertmanager.yml that was read and found without error.
type Routing struct {
	file      string // empty: the built-in
	config    *config.Config
	root      *dispatch.Route
	template  *template.Template
	receivers map[string][]notify.Integration // of those that a route names
	intervals *timeinterval.Intervener
	hooks     string // the address of our own webhook door
}

var utf8Matchers sync.Once // the parser of matchers is a global of Alertmanager's, chosen once by its main as here

func parseMatchersAsAlertmanagerDoes() {
	utf8Matchers.Do(func() { compat.InitFromFlags(slog.New(slog.DiscardHandler), featurecontrol.NoopFlags{}) })
}

// Load reads and checks the alertmanager.yml of an operations directory, as a server at url does. With an error among the
// findings there is no routing. A file that does not exist, or an empty dir, stands for the built-in.
func Load(dir, url string, logger *slog.Logger) (*Routing, []problem.Finding) {
	if dir == "" {
		return load("", url, logger)
	}
	return load(filepath.Join(dir, FileName), url, logger)
}

// load is Load of a file of any name.
func load(name, url string, logger *slog.Logger) (*Routing, []problem.Finding) {
	parseMatchersAsAlertmanagerDoes()
	r := &Routing{hooks: url + hookPath}
	content := []byte(builtIn)
	if name != "" {
		read, err := configfile.Read(name)
		switch {
		case err == nil:
			r.file, content = name, read
		case !errors.Is(err, fs.ErrNotExist):
			return nil, []problem.Finding{configfile.Finding(name, err)}
		}
	}
	doc := document{r.file, content}
	findings := doc.checkFiles()
	if problem.Broken(findings) {
		return nil, findings
	}
	var err error
	if r.file == "" {
		r.config, err = config.Load(builtIn)
	} else {
		r.config, err = config.LoadFile(r.file)
	}
	if err != nil {
		return nil, append(findings, doc.locate(err)...)
	}
	findings = append(findings, r.build(doc, url, logger)...)
	if problem.Broken(findings) {
		return nil, findings
	}
	return r, slices.Concat(findings, doc.checkTexts(r), doc.checkReach(r))
}

// build makes all that can fail: templates, receivers, intervals.
func (r *Routing) build(doc document, url string, logger *slog.Logger) []problem.Finding {
	var findings []problem.Finding
	r.template, findings = doc.templates(r.config.Templates)
	if problem.Broken(findings) {
		return findings
	}
	external, err := parseURL(url + "/alerts") // where people look: Alertmanager's own pages are not here
	if err != nil {
		return doc.locate(err)
	}
	r.template.ExternalURL = external
	r.root = dispatch.NewRoute(r.config.Route, nil)
	used := map[string]bool{}
	r.root.Walk(func(route *dispatch.Route) { used[route.RouteOpts.Receiver] = true })
	r.receivers = map[string][]notify.Integration{}
	for _, rcv := range r.config.Receivers {
		built, err := receiver.BuildReceiverIntegrations(rcv, r.template, logger)
		if err != nil {
			f := doc.at(doc.find("name", rcv.Name))
			f.Severity, f.Message = problem.SeverityError, "receiver "+quote(rcv.Name)+": "+err.Error()
			findings = append(findings, f)
		}
		if used[rcv.Name] {
			r.receivers[rcv.Name] = built
		}
	}
	all := map[string][]timeinterval.TimeInterval{}
	for _, i := range r.config.MuteTimeIntervals {
		all[i.Name] = i.TimeIntervals
	}
	for _, i := range r.config.TimeIntervals {
		all[i.Name] = i.TimeIntervals
	}
	r.intervals = timeinterval.NewIntervener(all)
	return findings
}

// File is the path of the file, empty if there is none.
func (r *Routing) File() string { return r.file }

// receiver is never nil: a route names only receivers that there are.
func (r *Routing) receiver(name string) *config.Receiver {
	for i := range r.config.Receivers {
		if r.config.Receivers[i].Name == name {
			return &r.config.Receivers[i]
		}
	}
	return new(config.Receiver)
}

// opens tells whether alerts of a route become incidents, and explicit whether somebody wrote so.
func (r *Routing) opens(route *dispatch.Route) (opens, explicit bool) {
	rcv := r.receiver(route.RouteOpts.Receiver)
	switch {
	case rcv.Labels[incidentLabel] == labelNone:
		return false, true
	case rcv.Labels[incidentLabel] == labelIncident || rcv.Name == incidentReceiver:
		return true, r.file != ""
	}
	for _, hook := range rcv.WebhookConfigs {
		if strings.TrimSuffix(string(hook.URL), "/") == r.hooks {
			return true, true
		}
	}
	return route == r.root, false
}

// integrations are what a receiver notifies, by name: webhook, email …
func (r *Routing) integrations(name string) []string {
	kinds := []string{}
	for _, i := range r.receivers[name] {
		kinds = append(kinds, i.Name())
	}
	return kinds
}
