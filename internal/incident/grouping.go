package incident

import (
	"fmt"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/catalog"
)

// DedupKeyField, among the fields that group alerts, makes every alert an incident of its own.
const DedupKeyField = "dedup_key"

// groupKey says what a trigger of a service has in common with those it is one incident with; common and reason are for people.
func groupKey(g *catalog.Grouping, t Trigger) (key, common, reason string) {
	if g == nil || len(g.By) == 0 {
		return "", "", "service"
	}
	parts := make([]string, len(g.By))
	for i, f := range g.By {
		parts[i] = fmt.Sprintf("%s=%q", f, t.field(f))
	}
	common = clip(strings.Join(parts, ", "), maxGroup)
	return "fields/" + common, common, strings.Join(g.By, ", ")
}

// field is what a trigger says under a name: a field of events, or else a label, or else one of its details.
func (t Trigger) field(name string) string {
	switch name {
	case DedupKeyField:
		if t.DedupKey != "" {
			return t.DedupKey
		}
		return t.AlertID
	case "class":
		return t.Fields.Class
	case "component":
		return t.Fields.Component
	case "group":
		return t.Fields.Group
	case "source":
		return t.Fields.Origin
	case "severity":
		return t.Severity
	case "summary":
		return t.Title
	}
	name = strings.TrimPrefix(strings.TrimPrefix(name, "labels."), "custom_details.")
	for _, labels := range []map[string]string{t.Labels, t.Fields.Labels} {
		if labels[name] != "" {
			return labels[name]
		}
	}
	if v, ok := t.Fields.Details[name]; ok {
		return fmt.Sprint(v)
	}
	return ""
}

// tooLate tells whether an open incident takes no more alerts, the last one of which came at a time.
func tooLate(g *catalog.Grouping, last, now time.Time) bool {
	return g != nil && g.Within > 0 && now.Sub(last) > time.Duration(g.Within)
}
