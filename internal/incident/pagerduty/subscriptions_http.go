package pagerduty

import (
	"cmp"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

func (a *API) webhookRoutes() {
	a.route("GET /webhook_subscriptions", auth.Operator, "", func(r request) (any, error) {
		p, err := r.page()
		if err != nil {
			return nil, err
		}
		all, err := a.Subscriptions(r.Context())
		items := []any{}
		for _, s := range all {
			items = append(items, a.showSubscription(s, ""))
		}
		return slice(p, "webhook_subscriptions", items), err
	})
	a.route("GET /webhook_subscriptions/{id}", auth.Operator, "", func(r request) (any, error) {
		s, err := a.Subscription(r.Context(), r.PathValue("id"))
		return ref{"webhook_subscription": a.showSubscription(s, "")}, err
	})
	a.route("POST /webhook_subscriptions", auth.Operator, "webhook_subscription.create", func(r request) (any, error) {
		s, err := r.subscription(Subscription{Active: true})
		if err != nil {
			return nil, err
		}
		s, secret, err := a.Subscribe(r.Context(), s)
		return ref{"webhook_subscription": a.showSubscription(s, secret)}, err
	})
	a.route("PUT /webhook_subscriptions/{id}", auth.Operator, "webhook_subscription.change", func(r request) (any, error) {
		s, err := a.Subscription(r.Context(), r.PathValue("id"))
		if err != nil {
			return nil, err
		}
		if s, err = r.subscription(s); err != nil {
			return nil, err
		}
		s, err = a.ChangeSubscription(r.Context(), s)
		return ref{"webhook_subscription": a.showSubscription(s, "")}, err
	})
	a.route("DELETE /webhook_subscriptions/{id}", auth.Operator, "webhook_subscription.remove", func(r request) (any, error) {
		return nil, a.Unsubscribe(r.Context(), r.PathValue("id"))
	})
	a.route("POST /webhook_subscriptions/{id}/enable", auth.Operator, "webhook_subscription.enable", func(r request) (any, error) {
		s, err := a.Enable(r.Context(), r.PathValue("id"))
		return ref{"webhook_subscription": a.showSubscription(s, "")}, err
	})
	a.route("POST /webhook_subscriptions/{id}/ping", auth.Operator, "webhook_subscription.ping", func(r request) (any, error) {
		return nil, a.Ping(r.Context(), r.PathValue("id"))
	})
}

func (a *API) showSubscription(s Subscription, secret string) ref {
	headers := []any{}
	for name := range s.Headers {
		headers = append(headers, ref{"name": name, "value": "<redacted>"})
	}
	method := ref{"id": s.ID, "type": "http_delivery_method", "url": s.URL, "secret": nil, "temporarily_disabled": s.DisabledUntil.After(time.Now()), "custom_headers": headers}
	if secret != "" {
		method["secret"] = secret
	}
	filter := ref{"type": s.FilterType}
	if s.FilterID != "" {
		filter["id"] = s.FilterID
	}
	return ref{"id": s.ID, "type": "webhook_subscription", "active": s.Active, "description": s.Description, "events": s.Events, "filter": filter, "delivery_method": method}
}

// subscription reads the body over what is there.
func (r request) subscription(s Subscription) (Subscription, error) {
	var in struct {
		Subscription *struct {
			Active         *bool    `json:"active"`
			Description    *string  `json:"description"`
			Events         []string `json:"events"`
			Filter         *given   `json:"filter"`
			DeliveryMethod *struct {
				Type    string `json:"type"`
				URL     string `json:"url"`
				Headers []struct {
					Name  string `json:"name"`
					Value string `json:"value"`
				} `json:"custom_headers"`
			} `json:"delivery_method"`
		} `json:"webhook_subscription"`
	}
	if err := r.decode(&in); err != nil {
		return s, err
	}
	b := in.Subscription
	if b == nil {
		return s, problem.New(problem.Invalid, "there is no subscription in the body").WithField("webhook_subscription")
	}
	if b.Active != nil {
		s.Active = *b.Active
	}
	if b.Description != nil {
		s.Description = *b.Description
	}
	if b.Events != nil {
		s.Events = b.Events
	}
	if b.Filter != nil {
		s.FilterType, s.FilterID = b.Filter.Type, b.Filter.ID
	}
	s.FilterType = cmp.Or(s.FilterType, "account_reference")
	if m := b.DeliveryMethod; m != nil {
		s.URL = cmp.Or(m.URL, s.URL)
		if m.Headers != nil {
			kept := map[string]string{}
			for _, h := range m.Headers {
				kept[h.Name] = h.Value
				if h.Value == "<redacted>" {
					kept[h.Name] = s.Headers[h.Name]
				}
			}
			s.Headers = kept
		}
	}
	return s, nil
}
