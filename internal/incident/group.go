package incident

import (
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// alike are the labels that make alerts without a service one matter: the rule, and where it holds.
var alike = []string{"alertname", "cluster", "namespace", "job"}

// decideGroup says which alerts become one incident: those of a service, whatever they are; else those that share a rule and a
// place. common is what they share beside the service, and reason its name for people.
func decideGroup(service string, labels event.Labels) (common, reason string) {
	if service != "" {
		return "", "service"
	}
	shared, names := event.Labels{}, []string{}
	for _, name := range alike {
		if labels[name] != "" {
			shared[name] = labels[name]
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return "", "kind, which name neither a service nor a rule,"
	}
	return shared.String(), strings.Join(names, ", ")
}
