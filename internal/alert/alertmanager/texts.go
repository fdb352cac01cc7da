package alertmanager

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/config"
	"github.com/prometheus/alertmanager/template"
	"go.yaml.in/yaml/v3"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Text is what a receiver would write for an alert, where alertmanager.yml or its defaults have a template.
type Text struct {
	Receiver    string `json:"receiver"`
	Integration string `json:"integration" doc:"slack[0], email[1] …"`
	Field       string `json:"field" doc:"of the integration's configuration: title, text …"`
	Text        string `json:"text" doc:"at most 4,000 bytes of it"`
	Error       string `json:"error,omitempty" doc:"why it cannot be filled in: the notification would fail"`
}

const (
	maxText  = 4000
	maxTexts = 200
)

// Texts fills in the templates of a receiver as they would be for one alert. Nothing is sent. Secrets are left out.
func (m *Manager) Texts(receiver string, labels, annotations, group map[string]string) []Text {
	r := m.Routing()
	for _, one := range r.config.Receivers {
		if one.Name != receiver {
			continue
		}
		data := r.template.Data(receiver, labelSet(group), nil, "", NewAlert(labels, annotations, time.Now(), time.Time{}, r.template.ExternalURL.String()))
		texts := r.texts(one, data)
		return texts[:min(len(texts), maxTexts)]
	}
	return nil
}

func (r *Routing) texts(one config.Receiver, data *template.Data) (texts []Text) {
	whole := reflect.ValueOf(one)
	for i := range whole.NumField() {
		kind, is := strings.CutSuffix(yamlName(whole.Type().Field(i)), "_configs")
		if !is {
			continue
		}
		for n := range whole.Field(i).Len() {
			templatesIn("", whole.Field(i).Index(n), func(field, text string) {
				filled, err := r.template.ExecuteTextString(text, data)
				t := Text{Receiver: one.Name, Integration: fmt.Sprintf("%s[%d]", kind, n), Field: field}
				t.Text = strings.ToValidUTF8(filled[:min(len(filled), maxText)], "")
				if err != nil {
					t.Error = plainTemplateError(err)
				}
				texts = append(texts, t)
			})
		}
	}
	return texts
}

func yamlName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	return name
}

// templatesIn finds the templates in a value of a configuration. Secrets have types of their own.
func templatesIn(at string, v reflect.Value, found func(field, text string)) {
	if !v.IsValid() || strings.Contains(v.Type().Name(), "Secret") {
		return
	}
	below := func(name string) string { return strings.Trim(at+"."+name, ".") }
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			templatesIn(at, v.Elem(), found)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() {
				templatesIn(below(yamlName(f)), v.Field(i), found)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			templatesIn(below(fmt.Sprint(i)), v.Index(i), found)
		}
	case reflect.Map:
		if v.Type().Key().Kind() != reflect.String {
			return
		}
		keys := v.MapKeys()
		slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
		for _, key := range keys {
			templatesIn(below(key.String()), v.MapIndex(key), found)
		}
	case reflect.String:
		if strings.Contains(v.String(), "{{") {
			found(at, v.String())
		}
	}
}

// ExampleAnnotations are those that most alerts have, for templates to be tried with.
func ExampleAnnotations() map[string]string {
	return map[string]string{"summary": "checkout answers with errors", "description": "5 % of requests fail", "runbook_url": "http://localhost/runbook"}
}

// checkTexts warns of texts of receivers that cannot be filled in: their notifications would fail, each time, when they are
// needed.
func (d document) checkTexts(r *Routing) (findings []problem.Finding) {
	var file struct {
		Receivers []yaml.Node
	}
	if r.file == "" || yaml.Unmarshal(d.content, &file) != nil {
		return nil
	}
	labels := map[string]string{"alertname": "HighErrorRate", "severity": "critical", "service": "checkout", "job": "checkout", "instance": "10.0.0.7:8080"}
	one := NewAlert(labels, ExampleAnnotations(), time.Now().Add(-5*time.Minute), time.Time{}, "http://localhost/explore")
	data := r.template.Data("example", labelSet(map[string]string{"alertname": "HighErrorRate"}), nil, "", one)
	var visit func(n *yaml.Node)
	visit = func(n *yaml.Node) {
		for _, child := range n.Content {
			visit(child)
		}
		if n.Kind != yaml.ScalarNode || !strings.Contains(n.Value, "{{") {
			return
		}
		if _, err := r.template.ExecuteTextString(n.Value, data); err != nil {
			f := d.at(n)
			f.Severity, f.Mend = problem.SeverityWarning, "prometheus.io/docs/alerting/latest/notifications lists what there is"
			f.Message = "it cannot be filled in: " + plainTemplateError(err)
			findings = append(findings, f)
		}
	}
	for i := range file.Receivers {
		visit(&file.Receivers[i])
	}
	return findings
}

// plainTemplateError is an error of a template without the place in it, which is a line of its own.
func plainTemplateError(err error) string {
	if m := templateLine.FindStringSubmatch(err.Error()); m != nil {
		return m[3]
	}
	return err.Error()
}
