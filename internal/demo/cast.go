package demo

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
)

// Who does what in the story: people of the shop's daytwo.yml.
const (
	developer = "linus" // ships the bad version
	onCall    = "ada"   // is paged, and mends it
)

// as returns the platform as a person sees it: signed in by a one-time link, as a user like any other, so that the record
// names somebody.
func (p *plot) as(ctx context.Context, name string) (*api, error) {
	if who := p.cast[name]; who != nil {
		return who, nil
	}
	link, err := p.api.invite(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("invite %s: %w", name, err)
	}
	who, err := p.api.redeem(ctx, link)
	if err != nil {
		return nil, fmt.Errorf("sign in as %s: %w", name, err)
	}
	if p.cast == nil {
		p.cast = map[string]*api{}
	}
	p.cast[name] = who
	return who, nil
}

// invite makes a one-time link of a user, who is added if need be.
func (a *api) invite(ctx context.Context, name string) (link string, err error) {
	users, err := list[struct{ ID, Name string }](ctx, a, "/api/users")
	if err != nil {
		return "", err
	}
	var answer struct{ Link string }
	for _, u := range users {
		if u.Name == name {
			err := a.call(ctx, http.MethodPost, "/api/users/"+url.PathEscape(u.ID)+"/link", struct{}{}, &answer)
			return answer.Link, err
		}
	}
	err = a.call(ctx, http.MethodPost, "/api/users",
		map[string]string{"name": name, "email": name + "@shop.example", "role": "operator"}, &answer)
	return answer.Link, err
}

// redeem opens the session that a one-time link is for.
func (a *api) redeem(ctx context.Context, link string) (*api, error) {
	u, err := url.Parse(link)
	if err != nil {
		return nil, err
	}
	who := &api{base: a.base, http: a.http}
	return who, who.call(ctx, http.MethodPost, "/api/session/redeem", map[string]string{"token": u.Query().Get("token")}, nil)
}
