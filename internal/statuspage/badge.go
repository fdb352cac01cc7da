package statuspage

import (
	"fmt"
	"html"
	"net/http"
	"slices"
	"strings"
)

// Words and colours of a badge by the state of a component.
var badges = map[string][2]string{
	Operational: {"operational", "#1a7f37"},
	Maintenance: {"maintenance", "#0969da"},
	Degraded:    {"degraded", "#9a6700"},
	Partial:     {"partial outage", "#cf222e"},
	Major:       {"outage", "#cf222e"},
}

// maxBadgeName keeps a badge to a line.
const maxBadgeName = 40

// badge is one line for a README: how the whole stands.
func (p *Page) badge(w http.ResponseWriter, _ *http.Request) {
	state := Operational
	switch indicator, _ := p.current.Load().indicator(); indicator {
	case "minor":
		state = Degraded
	case "major", "critical":
		state = Major
	case "maintenance":
		state = Maintenance
	}
	drawBadge(w, "status", badges[state][0], badges[state][1])
}

// badgeOf is the same of one component, by its id or its public name; with ?uptime it says how much of 90 days it was up.
func (p *Page) badgeOf(w http.ResponseWriter, r *http.Request) {
	ref, is := strings.CutSuffix(r.PathValue("file"), ".svg")
	s := p.current.Load()
	at := slices.IndexFunc(s.Components, func(c component) bool { return c.ID == ref || strings.EqualFold(c.Name, ref) })
	if !is || at < 0 {
		http.Error(w, "there is no such component: see api/v2/components.json for their ids", http.StatusNotFound)
		return
	}
	c := s.Components[at]
	words, colour := badges[c.State][0], badges[c.State][1]
	if r.URL.Query().Has("uptime") {
		if words, colour = c.Share(), badges[Operational][1]; c.Uptime < 99 {
			colour = badges[Degraded][1]
		}
	}
	drawBadge(w, c.Name, words, colour)
}

func drawBadge(w http.ResponseWriter, name, words, colour string) {
	letters := []rune(name)
	if len(letters) > maxBadgeName {
		letters = append(letters[:maxBadgeName-1], '…')
	}
	left, right := 12+7*len(letters), 12+7*len([]rune(words))
	name, words = html.EscapeString(string(letters)), html.EscapeString(words)
	open(w, "image/svg+xml")
	_, _ = fmt.Fprintf(w, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="20" role="img" aria-label="%s: %s"><rect width="%d" height="20" fill="#444"/><rect x="%d" width="%d" height="20" fill="%s"/><g fill="#fff" font-family="Verdana,sans-serif" font-size="11"><text x="6" y="14">%s</text><text x="%d" y="14">%s</text></g></svg>`,
		left+right, name, words, left, left, right, colour, name, left+6, words) // the client has gone; nobody to tell
}
