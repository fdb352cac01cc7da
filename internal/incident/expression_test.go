package incident_test

import (
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/incident"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// An expression cannot take more steps than the event is large.
func TestExpressionsAreBounded(t *testing.T) {
	for _, when := range []string{
		"let a = 1..1000; all(a, {all(a, {all(a, {all(a, {# > 0})})})})",
		"any(keys(labels), {any(keys(labels), {# == 'a'})})",
		"len(filter(keys(details), {count(keys(details), {true}) > 0})) > 0",
		"1 in 1..1000000",
	} {
		err := incident.Rule{Name: "x", When: when, Suppress: "y"}.Compile()
		if problem.CodeOf(err) != problem.Invalid || !strings.Contains(err.Error(), "not allowed") {
			t.Errorf("%s: %v", when, err)
		}
	}
	for _, when := range []string{`any(keys(labels), {# startsWith "team"})`, `severity == "warning" && labels["env"] != "prod"`} {
		if err := (incident.Rule{Name: "x", When: when, Suppress: "y"}).Compile(); err != nil {
			t.Errorf("%s: %v", when, err)
		}
	}
}
