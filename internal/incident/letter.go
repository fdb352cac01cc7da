package incident

import (
	html "html/template"
	"text/template"
)

// The two forms of a letter say the same. They are short: they are read on a phone, at night.

var textLetter = template.Must(template.New("text").Parse(`{{.Incident.Title}}

{{or .Incident.Service .Incident.Group "no service"}} · {{.Incident.Severity}} · since {{.Clock .Incident.OpenedAt}} ({{.Since}})

{{if .Changes}}What changed before:
{{range .Changes}}  {{$.Clock .Time}}  {{.Title}}{{with .Actor}}, by {{$.Called .}}{{end}}
{{end}}{{else}}No change is known in the hour before.
{{end}}
Acknowledge, or see more:
  {{.Incident.URL}}
{{with .Incident.Runbook}}Runbook:
  {{.}}
{{end}}
{{.Why}}
`))

var htmlLetter = html.Must(html.New("html").Parse(`<!doctype html>
<html><body style="font-family:system-ui,sans-serif;font-size:16px;line-height:1.5;max-width:36em">
<h1 style="font-size:20px;margin:0 0 4px">{{.Incident.Title}}</h1>
<p style="margin:0 0 16px">{{or .Incident.Service .Incident.Group "no service"}} · <strong>{{.Incident.Severity}}</strong> · since {{.Clock .Incident.OpenedAt}} ({{.Since}})</p>
<p style="margin:0 0 16px"><a href="{{.Incident.URL}}" style="display:inline-block;padding:12px 24px;background:#1c4fd6;color:#fff;text-decoration:none;border-radius:6px">Open incident #{{.Incident.Number}}</a></p>
{{if .Changes}}<p style="margin:0">What changed before:</p>
<ul style="margin:0 0 16px">{{range .Changes}}<li>{{$.Clock .Time}} {{.Title}}{{with .Actor}}, by {{$.Called .}}{{end}}</li>
{{end}}</ul>
{{else}}<p>No change is known in the hour before.</p>
{{end}}{{with .Incident.Runbook}}<p><a href="{{.}}">Runbook</a></p>
{{end}}<p style="color:#666;font-size:13px">{{.Why}}</p>
</body></html>
`))
