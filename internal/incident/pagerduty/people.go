package pagerduty

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/catalog"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func (a *API) peopleRoutes() {
	a.read("/abilities", func(request) (any, error) { return ref{"abilities": abilities}, nil })
	a.read("/abilities/{id}", func(r request) (any, error) {
		if !slices.Contains(abilities, r.PathValue("id")) {
			return nil, none("ability", r.PathValue("id"))
		}
		return nil, nil
	})
	a.read("/users", a.listUsers)
	a.read("/users/me", a.getMe)
	a.read("/users/{id}", a.getUser)
	a.route("POST /users", auth.Operator, "person.create", a.saveUser)
	a.route("PUT /users/{id}", auth.Operator, "person.change", a.saveUser)
	a.route("DELETE /users/{id}", auth.Operator, "person.remove", func(r request) (any, error) {
		p, err := a.person(r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		return nil, a.Catalog.Delete(r.Context(), catalog.KindPerson, p.ID)
	})
	a.contactRoutes()
	a.teamRoutes()
}

// abilities are those of the original that clients ask for and that are here.
var abilities = []string{"teams", "urgencies", "service_support_hours", "time_based_alert_grouping", "content_based_alert_grouping", "response_operations",
	"coordinated_responding"}

func (a *API) showUser(r request, p catalog.Person) ref {
	teams, contacts, rules := []any{}, []any{}, []any{}
	for _, t := range a.Catalog.Current().Teams {
		if slices.Contains(t.Members, p.Name) {
			teams = append(teams, a.reference("team", "teams", t.ID, t.Name))
		}
	}
	for _, c := range p.Contacts {
		contacts = append(contacts, a.showContact(r, p, c))
	}
	for _, r := range p.Rules {
		rules = append(rules, a.showRule(p, r))
	}
	return ref{"id": p.ID, "type": "user", "summary": cmp.Or(p.FullName, p.Name), "name": cmp.Or(p.FullName, p.Name), "email": p.Email, "time_zone": cmp.Or(p.TimeZone, "Etc/UTC"),
		"role": "user", "job_title": p.JobTitle, "self": a.self("users", p.ID), "html_url": a.PublicURL, "teams": teams, "contact_methods": contacts, "notification_rules": rules}
}

func (a *API) listUsers(r request) (any, error) {
	p, err := r.page()
	items, search, teams := []any{}, strings.ToLower(r.URL.Query().Get("query")), r.values("team_ids")
	for _, u := range a.Catalog.Current().People {
		in := len(teams) == 0 || slices.ContainsFunc(a.Catalog.Current().Teams, func(t catalog.Team) bool { return slices.Contains(teams, t.ID) && slices.Contains(t.Members, u.Name) })
		if in && strings.Contains(strings.ToLower(u.Name+" "+u.FullName+" "+u.Email), search) {
			items = append(items, a.showUser(r, u))
		}
	}
	return slice(p, "users", items), err
}

func (a *API) getUser(r request) (any, error) {
	p, err := a.person(r.PathValue("id"))
	return ref{"user": a.showUser(r, p)}, err
}

func (a *API) getMe(r request) (any, error) {
	p, err := a.person(a.actor(r))
	if err != nil {
		return nil, problem.New(problem.NotFound, "%s is no person of the catalog", auth.FromContext(r.Context()))
	}
	return ref{"user": a.showUser(r, p)}, nil
}

// saveUser makes a user, or changes the one of the path.
func (a *API) saveUser(r request) (any, error) {
	var in struct {
		User *struct {
			Name     string  `json:"name"`
			Email    string  `json:"email"`
			TimeZone string  `json:"time_zone"`
			JobTitle *string `json:"job_title"`
		} `json:"user"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if in.User == nil {
		return nil, problem.New(problem.Invalid, "there is no user in the body").WithField("user")
	}
	var p catalog.Person
	if id := r.PathValue("id"); id != "" {
		var err error
		if p, err = a.person(id); err != nil {
			return nil, err
		}
	} else if strings.TrimSpace(in.User.Name) == "" {
		return nil, problem.New(problem.Invalid, "it cannot be empty").WithField("user.name")
	} else {
		p.Name = a.freeName(in.User.Name, in.User.Email)
	}
	p.FullName, p.Email, p.TimeZone = cmp.Or(in.User.Name, p.FullName), cmp.Or(in.User.Email, p.Email), cmp.Or(in.User.TimeZone, p.TimeZone)
	if in.User.JobTitle != nil {
		p.JobTitle = *in.User.JobTitle
	}
	p, err := a.Catalog.SavePerson(r.Context(), p)
	return ref{"user": a.showUser(r, p)}, err
}

// freeName is a short name for a new person that nobody has: of their address, or of their full name.
func (a *API) freeName(full, email string) string {
	local, _, _ := strings.Cut(email, "@")
	name := plainName(cmp.Or(local, full))
	for n := 2; ; n++ {
		if _, taken := a.Catalog.Current().Person(name); !taken {
			return name
		}
		name = strings.TrimRight(name, "0123456789") + string(rune('0'+n%10))
		if n > 9 {
			name = plainName(full + "." + time.Now().UTC().Format("150405.000000"))
		}
	}
}

// plainName makes a text one that an entry can have.
func plainName(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '.', r == '_', r == '-':
			return r
		case r == ' ' || r == '+':
			return '-'
		}
		return -1
	}, strings.ToLower(text))
	return cmp.Or(strings.Trim(text[:min(len(text), 90)], "-_."), "user")
}

func (a *API) contactRoutes() {
	a.read("/users/{id}/contact_methods", func(r request) (any, error) {
		p, err := a.person(r.PathValue("id"))
		items := []any{}
		for _, c := range p.Contacts {
			items = append(items, a.showContact(r, p, c))
		}
		return ref{"contact_methods": items}, err
	})
	a.read("/users/{id}/contact_methods/{contact}", func(r request) (any, error) {
		p, c, err := a.contact(r)
		return ref{"contact_method": a.showContact(r, p, c)}, err
	})
	a.route("POST /users/{id}/contact_methods", auth.Operator, "contact.create", a.saveContact)
	a.route("PUT /users/{id}/contact_methods/{contact}", auth.Operator, "contact.change", a.saveContact)
	a.route("DELETE /users/{id}/contact_methods/{contact}", auth.Operator, "contact.remove", func(r request) (any, error) {
		p, c, err := a.contact(r)
		if err != nil {
			return nil, err
		}
		return nil, a.Catalog.DeleteContact(r.Context(), p.ID, c.ID)
	})
	a.read("/users/{id}/notification_rules", func(r request) (any, error) {
		p, err := a.person(r.PathValue("id"))
		items := []any{}
		for _, n := range p.Rules {
			items = append(items, a.showRule(p, n))
		}
		return ref{"notification_rules": items}, err
	})
	a.read("/users/{id}/notification_rules/{rule}", func(r request) (any, error) {
		p, n, err := a.rule(r)
		return ref{"notification_rule": a.showRule(p, n)}, err
	})
	a.route("POST /users/{id}/notification_rules", auth.Operator, "notification_rule.create", a.saveRule)
	a.route("PUT /users/{id}/notification_rules/{rule}", auth.Operator, "notification_rule.change", a.saveRule)
	a.route("DELETE /users/{id}/notification_rules/{rule}", auth.Operator, "notification_rule.remove", func(r request) (any, error) {
		p, n, err := a.rule(r)
		if err != nil {
			return nil, err
		}
		return nil, a.Catalog.DeleteRule(r.Context(), p.ID, n.ID)
	})
}

func (a *API) contact(r request) (catalog.Person, catalog.Contact, error) {
	p, err := a.person(r.PathValue("id"))
	if err != nil {
		return p, catalog.Contact{}, err
	}
	for _, c := range p.Contacts {
		if c.ID == r.PathValue("contact") {
			return p, c, nil
		}
	}
	return p, catalog.Contact{}, none("contact method", r.PathValue("contact"))
}

func (a *API) rule(r request) (catalog.Person, catalog.Rule, error) {
	p, err := a.person(r.PathValue("id"))
	if err != nil {
		return p, catalog.Rule{}, err
	}
	for _, n := range p.Rules {
		if n.ID == r.PathValue("rule") {
			return p, n, nil
		}
	}
	return p, catalog.Rule{}, none("notification rule", r.PathValue("rule"))
}

// contactTypes are what the original calls channels; those that it does not have are called likewise.
var contactTypes = map[string]string{"email": "email_contact_method", "voice": "phone_contact_method", "sms": "sms_contact_method", "push": "push_notification_contact_method"}

func contactType(channel string) string {
	return cmp.Or(contactTypes[channel], channel+"_contact_method")
}

func (a *API) showContact(r request, p catalog.Person, c catalog.Contact) ref {
	if auth.FromContext(r.Context()).Allows(auth.Operator) != nil {
		c = c.Masked() // numbers are for those who may change them
	}
	out := ref{"id": c.ID, "type": contactType(c.Channel), "summary": cmp.Or(c.Label, c.Channel), "label": cmp.Or(c.Label, c.Channel), "address": c.Address,
		"self": a.self("users", p.ID+"/contact_methods/"+c.ID), "html_url": nil}
	switch c.Channel {
	case "email":
		out["send_short_email"] = false
	case "sms", "voice":
		out["country_code"], out["address"] = countryOf(c.Address)
		out["blacklisted"], out["enabled"] = false, c.Usable()
	}
	return out
}

// countryOf splits a number as clients expect it; only the shortest countries are told apart, since the whole number is what counts.
func countryOf(number string) (code int, rest string) {
	digits := strings.TrimPrefix(number, "+")
	switch {
	case strings.HasPrefix(digits, "1"), strings.HasPrefix(digits, "7"):
		return int(digits[0] - '0'), digits[1:]
	case len(digits) > 2:
		return int(digits[0]-'0')*10 + int(digits[1]-'0'), digits[2:]
	}
	return 0, digits
}

func (a *API) saveContact(r request) (any, error) {
	var in struct {
		Method *struct {
			Type        string  `json:"type"`
			Label       *string `json:"label"`
			Address     string  `json:"address"`
			CountryCode int     `json:"country_code"`
		} `json:"contact_method"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if in.Method == nil {
		return nil, problem.New(problem.Invalid, "there is no contact method in the body").WithField("contact_method")
	}
	var p catalog.Person
	var c catalog.Contact
	var err error
	if r.PathValue("contact") != "" {
		p, c, err = a.contact(r)
	} else if p, err = a.person(r.PathValue("id")); err == nil {
		c.Channel = strings.TrimSuffix(in.Method.Type, "_contact_method")
		for channel, name := range contactTypes {
			if name == in.Method.Type {
				c.Channel = channel
			}
		}
	}
	if err != nil {
		return nil, err
	}
	if in.Method.Label != nil {
		c.Label = *in.Method.Label
	}
	if address := in.Method.Address; address != "" {
		c.Address = address
		if (c.Channel == "sms" || c.Channel == "voice") && !strings.HasPrefix(address, "+") {
			code := cmp.Or(in.Method.CountryCode, 1)
			c.Address = "+" + itoa(code) + strings.Map(func(d rune) rune {
				if d < '0' || d > '9' {
					return -1
				}
				return d
			}, address)
		}
	}
	if c.Verified == nil { // whoever administers vouches for it, as in the original
		now := time.Now().UTC().Truncate(time.Second)
		c.Verified = &now
	}
	c, err = a.Catalog.SaveContact(r.Context(), p.ID, c)
	return ref{"contact_method": a.showContact(r, p, c)}, err
}

func (a *API) showRule(p catalog.Person, n catalog.Rule) ref {
	contact := ref{}
	for _, c := range p.Contacts {
		if c.ID == n.Contact || c.Called() == n.Contact || c.Channel == n.Contact {
			contact = ref{"id": c.ID, "type": contactType(c.Channel) + "_reference", "summary": c.Called(), "self": a.self("users", p.ID+"/contact_methods/"+c.ID), "html_url": nil}
			break
		}
	}
	return ref{"id": n.ID, "type": "assignment_notification_rule", "summary": n.After.String() + ": " + n.Contact, "self": a.self("users", p.ID+"/notification_rules/"+n.ID), "html_url": nil,
		"start_delay_in_minutes": int(time.Duration(n.After).Minutes()), "urgency": n.Urgency, "contact_method": contact}
}

func (a *API) saveRule(r request) (any, error) {
	var in struct {
		Rule *struct {
			Delay   *int   `json:"start_delay_in_minutes"`
			Urgency string `json:"urgency"`
			Contact *given `json:"contact_method"`
		} `json:"notification_rule"`
	}
	if err := r.decode(&in); err != nil {
		return nil, err
	}
	if in.Rule == nil {
		return nil, problem.New(problem.Invalid, "there is no notification rule in the body").WithField("notification_rule")
	}
	p, err := a.person(r.PathValue("id"))
	var n catalog.Rule
	if err == nil && r.PathValue("rule") != "" {
		p, n, err = a.rule(r)
	}
	if err != nil {
		return nil, err
	}
	n.Urgency, n.Contact = cmp.Or(in.Rule.Urgency, n.Urgency, "high"), cmp.Or(in.Rule.Contact.id(), n.Contact)
	if in.Rule.Delay != nil {
		n.After = catalog.Duration(time.Duration(min(max(*in.Rule.Delay, 0), 7*24*60)) * time.Minute)
	}
	n, err = a.Catalog.SaveRule(r.Context(), p.ID, n)
	return ref{"notification_rule": a.showRule(p, n)}, err
}
