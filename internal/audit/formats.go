package audit

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"html/template"
	"io"
	"strings"

	_ "embed"
)

// Formats lists what Write can write.
var Formats = []string{"json", "sarif", "junit", "html", "badge"}

// Write writes the report in one of the formats.
func (r Report) Write(w io.Writer, format string) error {
	switch format {
	case "json":
		return indented(w, r)
	case "sarif":
		return indented(w, r.sarif())
	case "junit":
		return r.junit(w)
	case "html":
		return page.Execute(w, r)
	case "badge":
		return r.badge(w)
	}
	return fmt.Errorf("%q is not one of %s", format, strings.Join(Formats, ", "))
}

func indented(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func (f Finding) id() string { return fmt.Sprintf("factor-%02d", f.Number) }

func (f Finding) address() string {
	return "https://12factor.net/" + map[Factor]string{
		Codebase: "codebase", Dependencies: "dependencies", Configuration: "config", BackingServices: "backing-services",
		BuildReleaseRun: "build-release-run", Processes: "processes", PortBinding: "port-binding", Concurrency: "concurrency",
		Disposability: "disposability", Parity: "dev-prod-parity", Logs: "logs", AdminProcesses: "admin-processes",
	}[f.Factor]
}

// The parts of SARIF 2.1.0 that a report needs
// (https://docs.oasis-open.org/sarif/sarif/v2.1.0/).
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool struct {
			Driver sarifDriver `json:"driver"`
		} `json:"tool"`
		Results []sarifResult `json:"results"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID               string    `json:"id"`
		Name             string    `json:"name"`
		ShortDescription sarifText `json:"shortDescription"`
		HelpURI          string    `json:"helpUri"`
	}
	sarifText struct {
		Text string `json:"text"`
	}
	sarifResult struct {
		RuleID    string          `json:"ruleId"`
		RuleIndex int             `json:"ruleIndex"`
		Level     string          `json:"level"`
		Kind      string          `json:"kind"`
		Message   sarifText       `json:"message"`
		Locations []sarifLocation `json:"locations"`
	}
	sarifLocation struct {
		Physical sarifPhysical `json:"physicalLocation"`
	}
	sarifPhysical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
		Region *sarifRegion `json:"region,omitempty"`
	}
	sarifRegion struct {
		StartLine int `json:"startLine"`
	}
)

// sarif has a result for each piece of evidence against a factor; those that
// stand nowhere in the source are laid at the folder.
func (r Report) sarif() sarifLog {
	run := sarifRun{Results: []sarifResult{}}
	run.Tool.Driver = sarifDriver{Name: "daytwo audit", InformationURI: "https://github.com/daytwo-dev/daytwo"}
	for i, f := range r.Findings {
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{f.id(), string(f.Factor), sarifText{string(f.Factor)}, f.address()})
		for _, e := range f.Evidence {
			level, kind := "error", "fail"
			switch e.Verdict {
			case Breaks:
			case Weakens:
				level = "warning"
			case Untested:
				level, kind = "none", "open"
			default:
				continue
			}
			res := sarifResult{RuleID: f.id(), RuleIndex: i, Level: level, Kind: kind, Message: sarifText{e.Text}, Locations: make([]sarifLocation, 1)}
			at := &res.Locations[0].Physical
			if at.Artifact.URI = "."; e.File != "" {
				at.Artifact.URI = e.File
			}
			if e.Line > 0 {
				at.Region = &sarifRegion{e.Line}
			}
			run.Results = append(run.Results, res)
		}
	}
	return sarifLog{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []sarifRun{run}}
}

// The parts of JUnit's XML that pipelines read.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Skipped  int         `xml:"skipped,attr"`
		Time     float64     `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Class   string        `xml:"classname,attr"`
		Name    string        `xml:"name,attr"`
		Failure *junitMessage `xml:"failure"`
		Skipped *junitMessage `xml:"skipped"`
		Output  string        `xml:"system-out,omitempty"`
	}
	junitMessage struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

// junit has a case for each factor: a failed factor fails, one that is not
// tested is skipped; a partial one passes with its evidence as output.
func (r Report) junit(w io.Writer) error {
	s := junitSuite{Name: "twelve factors", Tests: len(r.Findings), Time: r.Seconds}
	for _, f := range r.Findings {
		c := junitCase{Class: "audit", Name: fmt.Sprintf("%d %s", f.Number, f.Factor)}
		lines := make([]string, len(f.Evidence))
		for i, e := range f.Evidence {
			lines[i] = e.String()
		}
		text := strings.Join(lines, "\n")
		switch f.Grade {
		case Fail:
			s.Failures++
			c.Failure = &junitMessage{f.worst().Text, text}
		case NotTested:
			s.Skipped++
			c.Skipped = &junitMessage{f.worst().Text, text}
		default:
			c.Output = string(f.Grade) + "\n" + text
		}
		s.Cases = append(s.Cases, c)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(s); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// worst is the first piece of evidence of the kind that made the grade.
func (f Finding) worst() Evidence {
	for _, v := range []Verdict{Breaks, Weakens, Untested, Holds} {
		for _, e := range f.Evidence {
			if e.Verdict == v {
				return e
			}
		}
	}
	return Evidence{}
}

// String is the verdict, the text and where it stands.
func (e Evidence) String() string {
	text := string(e.Verdict) + ": " + e.Text
	if e.File != "" {
		text += " (" + e.Where() + ")"
	}
	return text
}

// Where is file:line of what stands in the source.
func (e Evidence) Where() string {
	if e.Line > 0 {
		return fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	return e.File
}

// Summary counts the grades: "9 pass, 2 partial, 1 fail".
func (r Report) Summary() string {
	count := map[Grade]int{}
	for _, f := range r.Findings {
		count[f.Grade]++
	}
	var parts []string
	for _, g := range []Grade{Pass, Partial, Fail, NotTested} {
		if count[g] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", count[g], g))
		}
	}
	return strings.Join(parts, ", ")
}

// badge is an SVG picture: "twelve-factor 11/12".
func (r Report) badge(w io.Writer) error {
	color := "#b3261e"
	switch {
	case r.Passed == len(r.Findings):
		color = "#1b7f3b"
	case r.Passed >= 8:
		color = "#8a6100"
	}
	value := fmt.Sprintf("%d/%d", r.Passed, len(r.Findings))
	_, err := fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="136" height="20" role="img" aria-label="twelve-factor: %[1]s">
<title>twelve-factor: %[1]s</title>
<rect width="136" height="20" rx="3" fill="#3c4043"/>
<path d="M90 0h43a3 3 0 0 1 3 3v14a3 3 0 0 1-3 3H90z" fill="%[2]s"/>
<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle"><text x="45" y="14">twelve-factor</text><text x="113" y="14">%[1]s</text></g>
</svg>
`, value, color)
	return err
}

//go:embed report.html
var pageText string

var page = template.Must(template.New("report").Funcs(template.FuncMap{
	"class":   func(v any) string { return strings.ReplaceAll(fmt.Sprint(v), " ", "-") },
	"command": func(c []string) string { return strings.Join(c, " ") },
	"address": Finding.address,
}).Parse(pageText))
