package postmortem

import (
	"fmt"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/timeline"
)

// Markdown is the whole postmortem as one document, to be kept or read elsewhere. What people wrote stands in it as they wrote it.
func (d Detail) Markdown() []byte {
	var b strings.Builder
	fmt.Fprintf(&b, "# Postmortem: %s\n\n", oneLine(d.Title))
	fact := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "- **%s:** %s\n", name, value)
		}
	}
	fact("Incident", fmt.Sprintf("#%d", d.Number))
	fact("Service", d.Service)
	fact("Also looked at", strings.Join(d.Services[min(1, len(d.Services)):], ", "))
	fact("Severity", d.Severity)
	fact("Opened", stamp(d.OpenedAt))
	if d.AcknowledgedAt != nil {
		fact("Acknowledged", fmt.Sprintf("%s by %s, after %s", stamp(*d.AcknowledgedAt), d.AcknowledgedBy, span(d.OpenedAt, *d.AcknowledgedAt)))
	}
	fact("Resolved", fmt.Sprintf("%s by %s, after %s", stamp(d.ResolvedAt), d.ResolvedBy, span(d.OpenedAt, d.ResolvedAt)))
	fact("People", strings.Join(d.People, ", "))
	fact("Status", string(d.Status))
	for _, section := range []struct{ name, text string }{
		{"Summary", d.Summary}, {"Impact", d.Impact}, {"Root cause", d.RootCause}, {"Lessons", d.Lessons},
	} {
		text := strings.TrimSpace(section.text)
		if text == "" {
			text = "_Not written yet._"
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", section.name, text)
	}
	b.WriteString("\n## Actions\n\n")
	if len(d.Actions) == 0 {
		b.WriteString("_None yet._\n")
	}
	for _, a := range d.Actions {
		b.WriteString(a.markdown())
	}
	b.WriteString("\n## Timeline\n\n| Time (UTC) | Service | What | Who |\n| --- | --- | --- | --- |\n")
	for _, e := range d.Timeline {
		b.WriteString(row(e))
	}
	return []byte(b.String())
}

func (a Action) markdown() string {
	box, owner := "[ ]", ""
	if a.Done {
		box = "[x]"
	}
	if a.Owner != "" {
		owner = " (" + a.Owner + ")"
	}
	return fmt.Sprintf("- %s %s%s\n", box, oneLine(a.Text), owner)
}

func row(e timeline.Entry) string {
	return fmt.Sprintf("| %s | %s | %s | %s |\n", e.Time.UTC().Format("2006-01-02 15:04:05"), literal(e.Service), literal(e.Title), literal(auth.Called(e.Actor)))
}

// literal keeps what comes from outside from becoming markup or breaking a table.
func literal(s string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\\", `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "[", `\[`).Replace(oneLine(s))
}
