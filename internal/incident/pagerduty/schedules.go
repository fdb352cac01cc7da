package pagerduty

func (a *API) scheduleRoutes() {
	a.read("/oncalls", a.listOnCalls)
}

// listOnCalls lists who is paged now, by policy and level.
func (a *API) listOnCalls(r request) (any, error) {
	p, err := r.page()
	items := []any{}
	policies, users := r.values("escalation_policy_ids"), r.values("user_ids")
	for _, e := range a.Catalog.Current().Policies {
		if !wanted(policies, a.policyID(e.Name)) {
			continue
		}
		for n, l := range e.Levels {
			for _, who := range l.Targets {
				if wanted(users, a.userID(who)) {
					items = append(items, ref{"escalation_policy": a.policyRef(e.Name), "escalation_level": n + 1, "schedule": nil, "user": a.userRef(who), "start": nil, "end": nil})
				}
			}
		}
	}
	return slice(p, "oncalls", items), err
}

func wanted(ids []string, id string) bool {
	for _, w := range ids {
		if w == id {
			return true
		}
	}
	return len(ids) == 0
}
