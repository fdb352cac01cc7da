package checkout

import (
	"fmt"

	"github.com/daytwo-dev/daytwo/examples/shop/api"
)

// taxer computes the tax of an order in one release of the service.
type taxer func(api.Customer, []api.Line) (api.Cents, error)

// rates are per ten thousand.
var rates = map[api.Region]api.Cents{api.USEast: 825, api.EUWest: 2100, api.APSouth: 1800}

// taxerOf returns what the release with that version does.
func taxerOf(version string) (taxer, error) {
	switch version {
	case "v1":
		return roundedOnce, nil
	case "v2":
		return roundedByRule(roundings), nil
	case "v3":
		return roundedByRule(roundingsWithReverseCharge), nil
	}
	return nil, fmt.Errorf("VERSION is %q; there are releases v1, v2 and v3", version)
}

// roundedOnce taxes the sum and rounds half up.
func roundedOnce(c api.Customer, lines []api.Line) (api.Cents, error) {
	rate, ok := rates[c.Region]
	if !ok {
		return 0, fmt.Errorf("no tax rate for region %s", c.Region)
	}
	return (net(lines)*rate + 5000) / 10000, nil
}

func net(lines []api.Line) api.Cents {
	var sum api.Cents
	for _, l := range lines {
		sum += l.Price * api.Cents(l.Quantity)
	}
	return sum
}

// rounding is how invoices of a kind are rounded.
type rounding struct {
	perLine bool      // each line by itself, as companies' books want it
	step    api.Cents // to a multiple of this
	exempt  bool      // the customer owes the tax (reverse charge)
}

type rules map[api.Region]map[api.Plan]rounding

// roundings came with v2. Enterprises in Europe were left out: they were
// thought to be invoiced elsewhere.
var roundings = rules{
	api.USEast:  {api.Free: {step: 1}, api.Team: {step: 1}, api.Enterprise: {step: 1, perLine: true}},
	api.EUWest:  {api.Free: {step: 1}, api.Team: {step: 1, perLine: true}},
	api.APSouth: {api.Free: {step: 100}, api.Team: {step: 100}, api.Enterprise: {step: 100}},
}

// roundingsWithReverseCharge mends that in v3.
var roundingsWithReverseCharge = rules{
	api.USEast:  roundings[api.USEast],
	api.EUWest:  {api.Free: {step: 1}, api.Team: {step: 1, perLine: true}, api.Enterprise: {exempt: true}},
	api.APSouth: roundings[api.APSouth],
}

// roundedByRule taxes as the customer's region and plan demand.
func roundedByRule(rules rules) taxer {
	return func(c api.Customer, lines []api.Line) (api.Cents, error) {
		rule, ok := rules[c.Region][c.Plan]
		if !ok {
			return 0, fmt.Errorf("no tax rounding for plan %s in region %s", c.Plan, c.Region)
		}
		if rule.exempt {
			return 0, nil
		}
		round := func(amount api.Cents) api.Cents {
			unit := 10000 * rule.step
			return (amount*rates[c.Region] + unit/2) / unit * rule.step
		}
		if !rule.perLine {
			return round(net(lines)), nil
		}
		var tax api.Cents
		for _, l := range lines {
			tax += round(l.Price * api.Cents(l.Quantity))
		}
		return tax, nil
	}
}
