package catalog

import (
	"net/mail"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"
)

// Person is somebody who can be paged.
type Person struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	FullName string    `json:"fullName,omitempty"`
	Email    string    `json:"email,omitempty"`
	Webhook  string    `json:"webhook,omitempty"` // may hold a secret in its path: shown masked by the routes
	TimeZone string    `json:"timeZone,omitempty"`
	JobTitle string    `json:"jobTitle,omitempty"`
	Contacts []Contact `json:"contacts" doc:"every way to reach them, e-mail and webhook included"`
	Rules    []Rule    `json:"rules" doc:"how they want to be told; for an urgency without any, see the guide"`
	File     string    `json:"file,omitempty" doc:"the file that declares them: it is changed there"`
	Saved    *Saved    `json:"saved,omitempty" doc:"absent: a file declares them; contacts and rules have no part in it"`
	Warnings []string  `json:"warnings,omitempty" doc:"why pages do not reach them"` // worked out for answers, never stored
}

// warnings say why nobody can page the person; they may be on call all the same.
func (p Person) warnings() []string {
	switch {
	case p.Reachable():
		return nil
	case len(p.Contacts) == 0:
		return []string{"nobody can page " + p.Name + ": no address is given; add an e-mail or another contact"}
	}
	return []string{"nobody can page " + p.Name + ": none of their contacts is verified; verify one, or add an e-mail"}
}

// Contact is one way to reach a person.
type Contact struct {
	ID       string     `json:"id"`
	Channel  string     `json:"channel" enum:"email,sms,voice,push,slack,teams,discord,telegram,ntfy,webhook"`
	Label    string     `json:"label,omitempty" doc:"what rules call it; absent: its channel"`
	Address  string     `json:"address" doc:"an e-mail address, a number as +33612345678, or a URL; URLs that hold a secret are shown masked"`
	Verified *time.Time `json:"verified,omitempty" doc:"since when it is known to reach them; one from a file needs no proof"`
	File     string     `json:"file,omitempty" doc:"the file that declares it: it is changed there"`
}

// Called is how rules name the contact.
func (c Contact) Called() string {
	if c.Label != "" {
		return c.Label
	}
	return c.Channel
}

// Usable tells whether pages may go there: what nobody has proved to reach the person is not used.
func (c Contact) Usable() bool { return c.File != "" || c.Verified != nil }

// Rule says by which contact a person is told, how long after a page for them begins.
type Rule struct {
	ID      string   `json:"id"`
	Urgency string   `json:"urgency" enum:"high,low"`
	After   Duration `json:"after"`
	Contact string   `json:"contact" doc:"the label, channel or id of a contact"`
	File    string   `json:"file,omitempty" doc:"the file that declares it: it is changed there"`
}

// Notice is one step of telling a person.
type Notice struct {
	After   time.Duration
	Contact Contact
}

// Channels are all ways to reach somebody.
func Channels() []string {
	return []string{"email", "sms", "voice", "push", "slack", "teams", "discord", "telegram", "ntfy", "webhook"}
}

// Plan is how a person is told of something of an urgency, in order. Without rules that work for it, everything they have is used at
// once; for low urgency that is only what does not ring, if they have any of that.
func (p Person) Plan(urgency string) (plan []Notice) {
	for _, r := range p.Rules {
		if r.Urgency != urgency {
			continue
		}
		for _, c := range p.Contacts {
			if c.Usable() && (c.ID == r.Contact || c.Called() == r.Contact || c.Channel == r.Contact) {
				plan = append(plan, Notice{time.Duration(r.After), c})
			}
		}
	}
	slices.SortStableFunc(plan, func(a, b Notice) int { return int(a.After/time.Second) - int(b.After/time.Second) })
	if len(plan) > 0 {
		return plan
	}
	var quiet []Notice
	for _, c := range p.Contacts {
		if !c.Usable() {
			continue
		}
		plan = append(plan, Notice{0, c})
		if c.Channel != "sms" && c.Channel != "voice" && c.Channel != "push" && c.Channel != "ntfy" {
			quiet = append(quiet, Notice{0, c})
		}
	}
	if urgency == Low && len(quiet) > 0 {
		return quiet
	}
	return plan
}

// Reachable tells whether any contact may be used.
func (p Person) Reachable() bool {
	return slices.ContainsFunc(p.Contacts, Contact.Usable)
}

var phoneForm = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// checkAddress says what is wrong with the address of a channel, never repeating one that may hold a secret.
func checkAddress(channel, address string) (why, mend string) {
	switch channel {
	case "email":
		if a, err := mail.ParseAddress(address); err != nil || a.Address != address || strings.ContainsAny(address, "\r\n") {
			return "\"" + shorten(address) + "\" is not an e-mail address", "write it as ada@example.com"
		}
	case "sms", "voice":
		if !phoneForm.MatchString(address) {
			return "\"" + shorten(address) + "\" is not a telephone number", "write it with its country, as +33612345678"
		}
	case "telegram":
		if !regexp.MustCompile(`^(-?[0-9]{3,20}|@[A-Za-z0-9_]{4,40})$`).MatchString(address) {
			return "\"" + shorten(address) + "\" is not a Telegram chat", "write the number of the chat, or @channel"
		}
	case "slack":
		if regexp.MustCompile(`^[#@]?[A-Za-z0-9._-]{2,80}$`).MatchString(address) {
			return "", ""
		}
		return checkURL(address, "a Slack channel or user, or an incoming webhook")
	case "push":
		if !strings.HasPrefix(address, "{") {
			return "this is not a push subscription", "turn on notifications on the page of your account"
		}
	case "ntfy", "teams", "discord", "webhook":
		return checkURL(address, "an http or https URL")
	default:
		return "there is no channel \"" + shorten(channel) + "\"", "use one of " + strings.Join(Channels(), ", ")
	}
	return "", ""
}

func checkURL(address, what string) (why, mend string) {
	if u, err := url.Parse(address); err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return "the address is not " + what, "write it as https://example.com/path"
	}
	return "", ""
}

// Masked is the contact as everybody may see it: numbers and URLs keep what tells them apart.
func (c Contact) Masked() Contact {
	switch c.Channel {
	case "email", "telegram":
	case "sms", "voice":
		if n := len(c.Address); n > 5 {
			c.Address = c.Address[:3] + strings.Repeat("•", n-5) + c.Address[n-2:]
		}
	case "push":
		c.Address = "a browser"
		if c.Label != "" {
			c.Address = c.Label
		}
	default:
		if strings.Contains(c.Address, "://") {
			c.Address = masked(c.Address)
		}
	}
	return c
}
