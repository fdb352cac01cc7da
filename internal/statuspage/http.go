package statuspage

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"html/template"
	"math"
	"net/http"
	"slices"
	"strings"
	"time"
)

// Handler serves the page, its API as Statuspage's clients know it, and badges; mounted at /status, for everybody.
func (p *Page) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", p.page)
	mux.HandleFunc("GET /badge.svg", p.badge)
	mux.HandleFunc("GET /badges/{file}", p.badgeOf)
	for path, of := range map[string]func(*snapshot) map[string]any{
		"summary": (*snapshot).summary, "status": (*snapshot).status, "components": (*snapshot).components,
		"incidents": func(s *snapshot) map[string]any {
			return map[string]any{"incidents": s.incidents(slices.Concat(s.Incidents, s.Past))}
		},
		"incidents/unresolved":   func(s *snapshot) map[string]any { return map[string]any{"incidents": s.incidents(s.Incidents)} },
		"scheduled-maintenances": func(s *snapshot) map[string]any { return map[string]any{"scheduled_maintenances": s.windows()} },
		"scheduled-maintenances/upcoming": func(s *snapshot) map[string]any {
			return map[string]any{"scheduled_maintenances": s.windows("scheduled")}
		},
		"scheduled-maintenances/active": func(s *snapshot) map[string]any {
			return map[string]any{"scheduled_maintenances": s.windows("in_progress")}
		},
	} {
		mux.HandleFunc("GET /api/v2/"+path+".json", func(w http.ResponseWriter, r *http.Request) {
			s := p.current.Load()
			body := of(s)
			body["page"] = map[string]any{"id": "daytwo", "name": s.Title, "url": p.cfg.PublicURL + "/status", "time_zone": "Etc/UTC", "updated_at": stamp(s.Updated)}
			data, err := json.Marshal(body)
			if err != nil {
				http.Error(w, "the status cannot be written", http.StatusInternalServerError)
				return
			}
			open(w, "application/json; charset=utf-8")
			_, _ = w.Write(data) // the client has gone; nobody to tell
		})
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(p.current.Load().Components) == 0 { // and nothing is claimed of what nobody listed
			http.Error(w, "there is no status page: list its components under Status page, or under status_page in daytwo.yml", http.StatusNotFound)
			return
		}
		mux.ServeHTTP(w, r)
	})
}

// open lets anybody read and caches soon forget.
func open(w http.ResponseWriter, contentType string) {
	h := w.Header()
	h.Set("Content-Type", contentType)
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Cache-Control", "public, max-age=10")
}

func stamp(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format("2006-01-02T15:04:05.000Z")
}

func (s *snapshot) status() map[string]any {
	indicator, description := s.indicator()
	return map[string]any{"status": map[string]any{"indicator": indicator, "description": description}}
}

func (s *snapshot) summary() map[string]any {
	all := s.status()
	all["components"], all["incidents"], all["scheduled_maintenances"] = s.listed(s.Components), s.incidents(s.Incidents), s.windows()
	return all
}

func (s *snapshot) components() map[string]any {
	return map[string]any{"components": s.listed(s.Components)}
}

func (s *snapshot) listed(components []component) []any {
	list := []any{}
	for i, c := range components {
		list = append(list, map[string]any{"id": c.ID, "name": c.Name, "status": c.State, "description": c.Description, "position": i + 1, "showcase": true,
			"group": false, "group_id": nil, "start_date": nil, "only_show_if_degraded": false, "page_id": "daytwo", "created_at": stamp(c.Days[0].Date), "updated_at": stamp(s.Updated)})
	}
	return list
}

func (s *snapshot) incidents(incidents []publicIncident) []any {
	list := []any{}
	for _, i := range incidents {
		updates := []any{}
		for n := len(i.Updates) - 1; n >= 0; n-- {
			u := i.Updates[n]
			updates = append(updates, map[string]any{"id": u.ID, "status": cmp.Or(u.State, i.State), "body": u.Text, "incident_id": i.ID, "created_at": stamp(u.At), "updated_at": stamp(u.At), "display_at": stamp(u.At)})
		}
		list = append(list, map[string]any{"id": i.ID, "name": i.Name, "status": i.State, "impact": i.Impact, "created_at": stamp(i.Start), "started_at": stamp(i.Start),
			"updated_at": stamp(s.Updated), "resolved_at": stamp(i.End), "monitoring_at": nil, "shortlink": nil, "page_id": "daytwo", "incident_updates": updates, "components": s.listed(i.Components)})
	}
	return list
}

// windows are the maintenance windows that did not end, or those of them in one state.
func (s *snapshot) windows(only ...string) []any {
	list := []any{}
	for _, w := range s.Maintenance {
		state := "scheduled"
		if !w.Start.After(s.Updated) {
			state = "in_progress"
		}
		if len(only) > 0 && !slices.Contains(only, state) {
			continue
		}
		list = append(list, map[string]any{"id": w.ID, "name": w.Name, "status": state, "impact": "maintenance", "scheduled_for": stamp(w.Start), "scheduled_until": stamp(w.End),
			"created_at": stamp(w.Start), "started_at": stamp(w.Start), "updated_at": stamp(s.Updated), "monitoring_at": nil, "resolved_at": nil, "shortlink": nil,
			"page_id": "daytwo", "incident_updates": []any{}, "components": s.listed(w.Components)})
	}
	return list
}

// page is read at one's own pace: it loads itself anew only for screens on walls, which ask for that.
func (p *Page) page(w http.ResponseWriter, r *http.Request) {
	s := p.current.Load()
	indicator, description := s.indicator()
	var b bytes.Buffer
	err := layout.Execute(&b, map[string]any{"S": s, "Live": r.URL.Query().Has("live"), "Indicator": indicator, "Description": sentence(description), "Stale": p.cfg.Now().Sub(s.Updated) > time.Minute})
	if err != nil {
		http.Error(w, "the status cannot be shown", http.StatusInternalServerError)
		return
	}
	open(w, "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors *")
	_, _ = w.Write(b.Bytes()) // the client has gone; nobody to tell
}

// sentence is Statuspage's description in sentence case.
func sentence(s string) string { return s[:1] + strings.ToLower(s[1:]) }

// Words is the state for people.
func (m component) Words() string { return strings.ReplaceAll(m.State, "_", " ") }

// Share is the uptime for people: a minute of trouble is never rounded away.
func (m component) Share() string { return fmt.Sprintf("%.2f %%", math.Floor(m.Uptime*100)/100) }

// Level is how a day is drawn.
func (d day) Level() string {
	switch {
	case d.Down > time.Hour:
		return "down"
	case d.Down > 0:
		return "part"
	case d.Slow > 0:
		return "slow"
	}
	return "ok"
}

// Words says how a day was.
func (d day) Words() string {
	text := d.Date.Format("2 January") + ": "
	switch {
	case d.Down > 0:
		return text + "out for " + d.Down.Round(time.Minute).String()
	case d.Slow > 0:
		return text + "degraded for " + d.Slow.Round(time.Minute).String()
	}
	return text + "no trouble"
}

var layout = template.Must(template.New("status").Funcs(template.FuncMap{
	"at": func(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04 UTC") },
}).Parse(`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">{{if .Live}}<meta http-equiv="refresh" content="60">{{end}}
<title>{{.S.Title}}: {{.Description}}</title><style>
:root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--dim:#57606a;--line:#d8dee4;--ok:#1a7f37;--warn:#9a6700;--bad:#cf222e;--info:#0969da}
@media (prefers-color-scheme:dark){:root{--fg:#e6edf3;--bg:#0f1216;--dim:#9aa4ae;--line:#2b323a;--ok:#3fb950;--warn:#d29922;--bad:#f85149;--info:#58a6ff}}
*{box-sizing:border-box}body{margin:0;font:15px/1.5 system-ui,sans-serif;background:var(--bg);color:var(--fg)}
main{max-width:760px;margin:0 auto;padding:24px 16px 64px}h1{font-size:20px;margin:0 0 16px}h2{font-size:16px;margin:32px 0 8px}
.all{padding:16px;border-left:6px solid var(--ok);background:color-mix(in srgb,var(--ok) 10%,transparent);font-size:18px;font-weight:600}
.all.minor{border-color:var(--warn);background:color-mix(in srgb,var(--warn) 12%,transparent)}.all.major,.all.critical{border-color:var(--bad);background:color-mix(in srgb,var(--bad) 12%,transparent)}
.all.maintenance{border-color:var(--info);background:color-mix(in srgb,var(--info) 12%,transparent)}
.c{padding:12px 0;border-bottom:1px solid var(--line)}.c header{display:flex;justify-content:space-between;gap:12px}.c p,.dim{color:var(--dim);margin:0;font-size:13px}
.operational{color:var(--ok)}.degraded_performance,.partial_outage{color:var(--warn)}.major_outage{color:var(--bad)}.under_maintenance{color:var(--info)}
.days{display:flex;gap:1px;height:28px;margin:8px 0 4px}.days i{flex:1;background:var(--ok);border-radius:1px;min-width:1px}.days .slow{background:var(--warn);height:75%;align-self:end}.days .part{background:var(--bad);height:55%;align-self:end}.days .down{background:var(--bad)}
a{color:var(--info)}.foot{display:flex;justify-content:space-between}article{padding:8px 0 12px;border-bottom:1px solid var(--line)}article h3{font-size:15px;margin:0}article p{margin:4px 0}
</style></head><body><main><h1>{{.S.Title}}</h1>
<div class="all {{.Indicator}}" role="status">{{if .S.Components}}{{.Description}}{{else}}Nothing is listed here yet{{end}}</div>
{{if .Stale}}<p class="dim">As of {{at .S.Updated}}: newer information is not at hand.</p>{{end}}
{{if .S.Incidents}}<h2>Now</h2>{{range .S.Incidents}}<article><h3>{{.Name}}</h3><p class="dim">{{.State}} · since {{at .Start}}</p>{{range .Updates}}<p>{{with .State}}<strong>{{.}}</strong> {{end}}{{.Text}} <span class="dim">{{at .At}}</span></p>{{end}}</article>{{end}}{{end}}
{{if .S.Maintenance}}<h2>Maintenance</h2>{{range .S.Maintenance}}<article><h3>{{.Name}}</h3><p class="dim">{{at .Start}} to {{at .End}} · {{range $i,$c := .Components}}{{if $i}}, {{end}}{{$c.Name}}{{end}}</p></article>{{end}}{{end}}
{{if .S.Components}}<h2>Components</h2>{{range .S.Components}}<div class="c"><header><strong>{{.Name}}</strong><span class="{{.State}}">{{.Words}}</span></header>{{with .Description}}<p>{{.}}</p>{{end}}
<div class="days" role="img" aria-label="the last 90 days: {{.Share}} uptime">{{range .Days}}<i class="{{.Level}}" title="{{.Words}}"></i>{{end}}</div><div class="foot dim"><span>90 days ago</span><span>{{.Share}} uptime</span><span>today</span></div></div>{{end}}{{end}}
<h2>Before</h2>{{range .S.Past}}<article><h3>{{.Name}}</h3><p class="dim">{{at .Start}} to {{at .End}}</p>{{range .Updates}}<p>{{with .State}}<strong>{{.}}</strong> {{end}}{{.Text}} <span class="dim">{{at .At}}</span></p>{{end}}</article>{{else}}<p class="dim">No trouble in the last two weeks.</p>{{end}}{{with .S.MorePast}}<p class="dim">and {{.}} more in the last two weeks.</p>{{end}}
<p class="dim" style="margin-top:32px">Updated {{at .S.Updated}} · {{if .Live}}<a href="./">Stop updating</a>{{else}}<a href="./?live">Update every minute</a>{{end}}</p></main></body></html>`))
