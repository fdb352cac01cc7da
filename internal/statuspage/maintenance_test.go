package statuspage_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/internal/statuspage"
)

// recorded are the fields of what pages of Statuspage answer, as Discord's did on 2022-02-15 (https://discordstatus.com/api/v2).
var recorded = map[string]string{
	"":     "page scheduled_maintenances",
	"page": "id name time_zone updated_at url",
	"scheduled_maintenances": "components created_at id impact incident_updates monitoring_at name page_id resolved_at scheduled_for scheduled_until " +
		"shortlink started_at status updated_at",
	"components": "created_at description group group_id id name only_show_if_degraded page_id position showcase start_date status updated_at",
}

// fields notes the fields of every object of a document, by the name it has in the one around it.
func fields(name string, v any, into map[string]string) {
	switch v := v.(type) {
	case map[string]any:
		into[name] = strings.Join(slices.Sorted(maps.Keys(v)), " ")
		for name, of := range v {
			fields(name, of, into)
		}
	case []any:
		for _, of := range v {
			fields(name, of, into)
		}
	}
}

func TestMaintenanceAsStatuspageClientsKnowIt(t *testing.T) {
	two := strings.Replace(file, "maintenance: [", "maintenance: [{name: Old disks, services: [checkout], from: 2026-03-04T11:00:00Z, to: 2026-03-04T13:00:00Z}, ", 1)
	p, get := page(t, two, func() ([]statuspage.Trouble, error) { return nil, nil })
	if err := p.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string][]string{"active": {"Old disks in_progress"}, "upcoming": {"New disks scheduled"}, "": {"Old disks in_progress", "New disks scheduled"}} {
		_, body := get("/api/v2/" + strings.TrimSuffix("scheduled-maintenances/"+path, "/") + ".json")
		var found struct {
			Windows []struct{ Name, Status string } `json:"scheduled_maintenances"`
		}
		if err := json.Unmarshal([]byte(body), &found); err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, w := range found.Windows {
			names = append(names, w.Name+" "+w.Status)
		}
		slices.Sort(names)
		slices.Sort(want)
		if !slices.Equal(names, want) {
			t.Errorf("%q lists %q, want %q", path, names, want)
		}
	}
	_, body := get("/api/v2/scheduled-maintenances/active.json")
	var all any
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		t.Fatal(err)
	}
	ours := map[string]string{}
	if fields("", all, ours); !maps.Equal(ours, recorded) {
		t.Errorf("ours has %q, Statuspage's %q", ours, recorded)
	}
}
