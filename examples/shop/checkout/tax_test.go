package checkout

import (
	"testing"

	"github.com/daytwo-dev/daytwo/examples/shop/api"
)

func TestTaxByRelease(t *testing.T) {
	lines := []api.Line{
		{Item: api.Item{SKU: "A001", Quantity: 3}, Price: 333},
		{Item: api.Item{SKU: "A002", Quantity: 1}, Price: 1005},
	}
	for _, c := range []struct {
		version string
		plan    api.Plan
		region  api.Region
		tax     api.Cents
		fails   bool
	}{
		{"v1", api.Free, api.USEast, 165, false}, // 2004 × 8.25 % = 165.33
		{"v1", api.Enterprise, api.EUWest, 421, false},
		{"v1", api.Team, "mars", 0, true},
		{"v2", api.Free, api.USEast, 165, false},
		{"v2", api.Enterprise, api.USEast, 165, false}, // 82.4 + 82.9 by line
		{"v2", api.Team, api.APSouth, 400, false},      // 360.7 to whole dollars
		{"v2", api.Enterprise, api.EUWest, 0, true},
		{"v3", api.Enterprise, api.EUWest, 0, false},
		{"v3", api.Team, api.EUWest, 421, false},
	} {
		tax, err := taxerOf(c.version)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tax(api.Customer{Plan: c.plan, Region: c.region}, lines)
		if got != c.tax || (err != nil) != c.fails {
			t.Errorf("%s %s %s: %d, %v", c.version, c.plan, c.region, got, err)
		}
	}
	if _, err := taxerOf("v9"); err == nil {
		t.Error("an unknown release was accepted")
	}
}
