package alert

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/rulefmt"

	"github.com/daytwo-dev/daytwo/internal/catalog"
)

// burnAlert is the name of the alerts made from objectives; service, slo and severity tell them apart.
const burnAlert = "ErrorBudgetBurn"

// objectiveRules makes the burn-rate alerts of every objective, after the SRE Workbook ("Alerting on SLOs", multiwindow,
// multi-burn-rate): one rule a severity, so that one failure pages once although several windows see it. Rules are
// evaluated as often as the catalog's shortest window needs, at least every `every`.
func objectiveRules(c *catalog.Catalog, every time.Duration) (made rulefmt.RuleGroups) {
	for _, service := range c.Services {
		group := rulefmt.RuleGroup{Name: service.Name}
		interval := every
		for _, slo := range service.SLOs {
			for _, alerts := range bySeverity(slo.BurnAlerts) {
				group.Rules = append(group.Rules, burnRule(service, slo, alerts))
			}
			for _, b := range slo.BurnAlerts {
				interval = min(interval, max(time.Second, time.Duration(b.Short)/15))
			}
		}
		group.Interval = model.Duration(interval)
		if len(group.Rules) > 0 {
			made.Groups = append(made.Groups, group)
		}
	}
	return made
}

func bySeverity(all []catalog.BurnAlert) (groups [][]catalog.BurnAlert) {
	for _, b := range all {
		i := slices.IndexFunc(groups, func(g []catalog.BurnAlert) bool { return g[0].Severity == b.Severity })
		if i < 0 {
			groups = append(groups, []catalog.BurnAlert{b})
			continue
		}
		groups[i] = append(groups[i], b)
	}
	return groups
}

func burnRule(service catalog.Service, slo catalog.SLO, alerts []catalog.BurnAlert) rulefmt.Rule {
	var terms, windows []string
	for _, b := range alerts {
		factor := number(b.Factor)
		terms = append(terms, fmt.Sprintf("(%s > %s and %s > %s)", burnRate(slo, b.Long), factor, burnRate(slo, b.Short), factor))
		windows = append(windows, fmt.Sprintf("more than %s times over %s and %s", factor, b.Long, b.Short))
	}
	annotations := map[string]string{
		"summary": fmt.Sprintf("%s fails its %s objective: the error budget burns too fast", service.Name, slo.Name),
		"description": fmt.Sprintf("The error budget burns {{ $value | printf \"%%.3g\" }} times as fast as it may. "+
			"%s%% of what %s serves shall be good over %s. This alert is for a burn rate of %s.",
			number(slo.Objective), service.Name, slo.Window, strings.Join(windows, ", or ")),
	}
	if service.Runbook != "" {
		annotations["runbook"] = service.Runbook
	}
	return rulefmt.Rule{
		Alert:       burnAlert,
		Expr:        strings.Join(terms, " or "),
		Labels:      map[string]string{"service": service.Name, "slo": slo.Name, "severity": alerts[0].Severity},
		Annotations: annotations,
	}
}

// burnRate is how many times faster than sustainable the budget burns over a window: 1 uses it up exactly by the end of the
// objective's own window.
func burnRate(slo catalog.SLO, window catalog.Duration) string {
	return fmt.Sprintf("((1 - %s) / %s)", goodRatio(slo, window), number(slo.Budget()))
}

// goodRatio is the good part of the total, between 0 and 1. Where nothing was good ever, the query for the good has no
// series at all, and the ratio must still be 0; where there is no traffic it is NaN, which no comparison holds for.
func goodRatio(slo catalog.SLO, window catalog.Duration) string {
	good, total := catalog.Over(slo.Good, window), catalog.Over(slo.Total, window)
	return fmt.Sprintf("(((%s) or (%s) * 0) / (%s))", good, total, total)
}

// number writes v without the noise of binary fractions.
func number(v float64) string { return strconv.FormatFloat(v, 'g', 10, 64) }
