package catalog

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"fmt"
	"math/big"
	"net/http"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/web"
)

type personBody struct {
	Name     string `json:"name"`
	FullName string `json:"fullName,omitempty"`
	Email    string `json:"email,omitempty"`
	TimeZone string `json:"timeZone,omitempty"`
	JobTitle string `json:"jobTitle,omitempty"`
}

func (l *Live) savePerson(ctx context.Context, w which, b personBody) (Person, error) {
	p, err := l.SavePerson(ctx, Person{ID: w.id, Saved: w.seen, Name: b.Name, FullName: b.FullName, Email: b.Email, TimeZone: b.TimeZone, JobTitle: b.JobTitle})
	return p.masked(), err
}

// Tell sends a short message to a contact; the app gives it, from package notify.
type Tell func(ctx context.Context, c Contact, subject, text string) error

type contactInput struct {
	Ref  string `path:"ref" doc:"the id or name of the person"`
	Body struct {
		Channel string `json:"channel" enum:"email,sms,voice,push,slack,teams,discord,telegram,ntfy,webhook"`
		Label   string `json:"label,omitempty" maxLength:"100"`
		Address string `json:"address" maxLength:"4000"`
	}
}

type childInput struct {
	Ref string `path:"ref" doc:"the id or name of the person"`
	ID  string `path:"id"`
}

type ruleInput struct {
	Ref  string `path:"ref" doc:"the id or name of the person"`
	Body struct {
		Urgency string   `json:"urgency" enum:"high,low"`
		After   Duration `json:"after"`
		Contact string   `json:"contact" doc:"the id, label or channel of a contact"`
	}
}

// personRoutes registers contacts and rules. People change their own; operators those of everybody, and vouch for them.
func (l *Live) personRoutes(s *web.Server) {
	web.Get(s, "/api/people/{ref}", op("get-person", "Get a person; addresses that hold secrets are masked"),
		func(_ context.Context, in *byRef) (*Person, error) {
			p, err := l.Current().PersonBy(in.Ref)
			p = p.masked()
			return &p, err
		})
	made := changing("create-contact", "Add a way to reach a person", auth.Viewer, "person.contact.create")
	made.Status = http.StatusCreated
	web.Post(s, "/api/people/{ref}/contacts", made, l.addContact)
	web.Delete(s, "/api/people/{ref}/contacts/{id}", changing("delete-contact", "Remove a contact of a person", auth.Viewer, "person.contact.delete"),
		func(ctx context.Context, in *childInput) (*struct{}, error) {
			if _, _, err := l.mayEdit(ctx, in.Ref); err != nil {
				return nil, err
			}
			return nil, l.DeleteContact(ctx, in.Ref, in.ID)
		})
	web.Post(s, "/api/people/{ref}/contacts/{id}/code", changing("send-contact-code", "Send a code to a contact that proves it reaches the person", auth.Viewer, "person.contact.code"), l.sendCode)
	web.Post(s, "/api/people/{ref}/contacts/{id}/test", changing("test-contact", "Send a test message to a contact", auth.Viewer, "person.contact.test"),
		func(ctx context.Context, in *childInput) (*struct{}, error) {
			p, c, err := l.editableContact(ctx, in)
			if err != nil {
				return nil, err
			}
			if !c.Usable() {
				return nil, problem.New(problem.Conflict, "nobody has proved yet that this reaches %s", p.Name).WithMend("send a code there, and give it back")
			}
			err = l.edit(ctx, func(ch *change, _ *Catalog) error { return ch.spend(p) }, func(*Catalog) error { return nil })
			if err != nil {
				return nil, err
			}
			return nil, l.tell(ctx, c, "Test of daytwo", "This is a test: pages for you arrive here.")
		})
	type provenInput struct {
		Ref  string `path:"ref" doc:"the id or name of the person"`
		ID   string `path:"id"`
		Body struct {
			Code string `json:"code" minLength:"6" maxLength:"6"`
		}
	}
	web.Post(s, "/api/people/{ref}/contacts/{id}/verify", changing("verify-contact", "Give back the code that was sent to a contact", auth.Viewer, "person.contact.verify"),
		func(ctx context.Context, in *provenInput) (*Contact, error) {
			p, c, err := l.editableContact(ctx, &childInput{in.Ref, in.ID})
			if err != nil {
				return nil, err
			}
			c, err = l.verify(ctx, p, c, in.Body.Code)
			c = c.Masked()
			return &c, err
		})
	ruled := changing("create-rule", "Add a notification rule of a person", auth.Viewer, "person.rule.create")
	ruled.Status = http.StatusCreated
	web.Post(s, "/api/people/{ref}/rules", ruled, func(ctx context.Context, in *ruleInput) (*Rule, error) {
		if _, _, err := l.mayEdit(ctx, in.Ref); err != nil {
			return nil, err
		}
		r, err := l.SaveRule(ctx, in.Ref, Rule{Urgency: in.Body.Urgency, After: in.Body.After, Contact: in.Body.Contact})
		return &r, err
	})
	web.Delete(s, "/api/people/{ref}/rules/{id}", changing("delete-rule", "Remove a notification rule of a person", auth.Viewer, "person.rule.delete"),
		func(ctx context.Context, in *childInput) (*struct{}, error) {
			if _, _, err := l.mayEdit(ctx, in.Ref); err != nil {
				return nil, err
			}
			return nil, l.DeleteRule(ctx, in.Ref, in.ID)
		})
}

// mayEdit lets people change themselves, and operators everybody.
func (l *Live) mayEdit(ctx context.Context, ref string) (p Person, self bool, err error) {
	if p, err = l.Current().PersonBy(ref); err != nil {
		return p, false, err
	}
	by := auth.FromContext(ctx)
	if by.Kind == auth.KindUser && by.Name == p.Name {
		return p, true, nil
	}
	return p, false, by.Allows(auth.Operator)
}

func (l *Live) editableContact(ctx context.Context, in *childInput) (Person, Contact, error) {
	p, _, err := l.mayEdit(ctx, in.Ref)
	if err != nil {
		return p, Contact{}, err
	}
	c, ok := find(p.Contacts, func(c Contact) bool { return c.ID == in.ID })
	if !ok {
		return p, c, missing(KindContact, in.ID)
	}
	return p, c, nil
}

// addContact adds a contact. A browser that somebody subscribes from their own session, and what an operator adds for another, needs no proof.
func (l *Live) addContact(ctx context.Context, in *contactInput) (*Contact, error) {
	_, self, err := l.mayEdit(ctx, in.Ref)
	if err != nil {
		return nil, err
	}
	c := Contact{Channel: in.Body.Channel, Label: in.Body.Label, Address: in.Body.Address}
	if !self || c.Channel == "push" {
		c.Verified = new(l.clock())
	}
	c, err = l.SaveContact(ctx, in.Ref, c)
	web.Audited(ctx, "person/"+in.Ref, c.Channel)
	c = c.Masked()
	return &c, err
}

func (l *Live) tell(ctx context.Context, c Contact, subject, text string) error {
	if l.Tell == nil {
		return problem.New(problem.Unavailable, "nothing can be sent from here")
	}
	if err := l.Tell(ctx, c, subject, text); err != nil {
		return problem.New(problem.Unavailable, "it could not be sent by %s: %w", c.Channel, err).WithMend("check the address, and the settings of the channel")
	}
	return nil
}

const (
	kindCode    Kind = "code" // sent to a contact; its id is the contact's
	codePurpose      = "catalog/code"
	codeLife         = 15 * time.Minute
	codePause        = 30 * time.Second // between two codes
	codeTries        = 5
)

// code is one that was sent.
type code struct {
	Sealed string    `json:"sealed"`
	Sent   time.Time `json:"sent"`
	Tries  int       `json:"tries"`
}

func (l *Live) sendCode(ctx context.Context, in *childInput) (*struct{}, error) {
	p, c, err := l.editableContact(ctx, in)
	if err != nil {
		return nil, err
	}
	if c.File != "" || c.Verified != nil || l.Sealer == nil {
		return nil, problem.New(problem.Conflict, "this %s needs no proof", c.Channel)
	}
	n, err := rand.Int(rand.Reader, big.NewInt(1_000_000))
	if err != nil {
		return nil, err
	}
	digits := fmt.Sprintf("%06d", n)
	sealed, err := l.Sealer.Seal(codePurpose, []byte(digits))
	if err != nil {
		return nil, err
	}
	err = l.edit(ctx, func(ch *change, _ *Catalog) error {
		for _, r := range ch.shelf.rows[kindCode] {
			if before, ok := decode[code](r); ok && r.id == c.ID && ch.now.Sub(before.Sent) < codePause {
				return problem.New(problem.Exhausted, "a code was sent a moment ago").WithMend("wait half a minute")
			}
		}
		if err := ch.spend(p); err != nil {
			return err
		}
		return ch.put(kindCode, c.ID, p.ID, code{Sealed: sealed, Sent: ch.now})
	}, func(*Catalog) error { return nil })
	if err != nil {
		return nil, err
	}
	return nil, l.tell(ctx, c, "Your code for daytwo is "+digits, "Your code for daytwo is "+digits+". It proves that pages reach you here, and lasts 15 minutes.")
}

// verify marks a contact as one that reaches its person.
func (l *Live) verify(ctx context.Context, p Person, c Contact, digits string) (Contact, error) {
	wrong := problem.New(problem.Invalid, "this is not the code that was sent").WithField("code").WithMend("look again, or ask for another")
	right := false
	err := l.edit(ctx, func(ch *change, _ *Catalog) error {
		right = false
		for _, r := range ch.shelf.rows[kindCode] {
			sent, ok := decode[code](r)
			if !ok || r.id != c.ID {
				continue
			}
			if ch.now.Sub(sent.Sent) > codeLife || sent.Tries >= codeTries {
				return problem.New(problem.Conflict, "the code does not count any more").WithField("code").WithMend("ask for another")
			}
			if want, err := l.Sealer.Open(codePurpose, sent.Sealed); err == nil && subtle.ConstantTimeCompare(want, []byte(digits)) == 1 {
				right = true
				if err := ch.drop(kindCode, c.ID); err != nil {
					return err
				}
				c.Verified = new(ch.now)
				return ch.put(KindContact, c.ID, p.ID, c)
			}
			sent.Tries++
			return ch.put(kindCode, c.ID, p.ID, sent)
		}
		return wrong
	}, func(*Catalog) error { return nil })
	if err == nil && !right {
		err = wrong
	}
	return c, err
}
