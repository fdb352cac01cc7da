package pagerduty

import (
	"context"
	"strconv"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/web"
)

type idInput struct {
	ID string `path:"id"`
}

type deliveriesInput struct {
	ID     string `path:"id"`
	Status string `query:"status" enum:"pending,delivered,refused,failed,dropped"`
	web.Page
}

// Routes registers what the screen needs of webhooks: what went out, what waits, and why.
func (a *API) Routes(w *web.Server) {
	const tag = "webhooks"
	web.Get(w, "/api/webhook-subscriptions", web.Op{ID: "list-webhook-subscriptions", Summary: "List who hears of incidents by webhook", Tag: tag, Role: auth.Operator},
		func(ctx context.Context, _ *struct{}) (*web.List[Subscription], error) {
			all, err := a.Subscriptions(ctx)
			return &web.List[Subscription]{Items: all}, err
		})
	web.Get(w, "/api/webhook-subscriptions/{id}/deliveries", web.Op{ID: "list-webhook-deliveries", Summary: "List what went, or is to go, to a subscription, newest first",
		Tag: tag, Role: auth.Operator},
		func(ctx context.Context, in *deliveriesInput) (*web.List[Delivery], error) {
			after, err := in.After()
			if err != nil {
				return nil, err
			}
			before, _ := strconv.ParseInt(after, 10, 64)
			items, err := a.Deliveries(ctx, in.ID, in.Status, before, in.Limit+1)
			answer := &web.List[Delivery]{Items: items}
			if len(items) > in.Limit {
				answer.Items = items[:in.Limit]
				answer.Next = web.Cursor(strconv.FormatInt(items[in.Limit-1].Seq, 10))
			}
			return answer, err
		})
	web.Post(w, "/api/webhook-deliveries/{id}/replay", web.Op{ID: "replay-webhook-delivery", Summary: "Send a webhook again, under the same event id",
		Tag: tag, Role: auth.Operator, Audit: "webhook.replay"},
		func(ctx context.Context, in *idInput) (*Delivery, error) {
			d, err := a.Replay(ctx, in.ID)
			return &d, err
		})
	web.Post(w, "/api/webhook-subscriptions/{id}/enable", web.Op{ID: "enable-webhook-subscription", Summary: "Give a disabled subscription another chance",
		Tag: tag, Role: auth.Operator, Audit: "webhook_subscription.enable"},
		func(ctx context.Context, in *idInput) (*Subscription, error) {
			s, err := a.Enable(ctx, in.ID)
			return &s, err
		})
}
