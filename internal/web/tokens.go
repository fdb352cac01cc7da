package web

import (
	"context"
	"fmt"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
)

type createTokenInput struct {
	Body struct {
		Name      string       `json:"name" maxLength:"100" doc:"what it is for"`
		Role      auth.Role    `json:"role" doc:"at most one's own"`
		Scopes    []auth.Scope `json:"scopes,omitempty" enum:"*,read,ingest,operate" doc:"absent: all the role allows"`
		ExpiresAt time.Time    `json:"expiresAt,omitzero" required:"false" doc:"absent: never"`
	}
}

// CreatedToken is a new token with its secret.
type CreatedToken struct {
	Token  auth.Token `json:"token"`
	Secret string     `json:"secret" doc:"is never shown again"`
}

type tokenInput struct {
	ID string `path:"id"`
}

func (s *Server) tokenRoutes() {
	Get(s, "/api/tokens", Op{ID: "list-tokens", Summary: "List API tokens: one's own, as an admin all", Tag: "tokens"},
		func(ctx context.Context, _ *struct{}) (*List[auth.Token], error) {
			tokens, err := s.auth.Tokens(ctx, auth.FromContext(ctx))
			return &List[auth.Token]{Items: tokens}, err
		})
	Post(s, "/api/tokens", Op{ID: "create-token", Summary: "Make an API token that acts for oneself", Tag: "tokens", Status: 201, Audit: "token.create"},
		func(ctx context.Context, in *createTokenInput) (*CreatedToken, error) {
			b := in.Body
			t, secret, err := s.auth.CreateToken(ctx, auth.FromContext(ctx), auth.NewToken{Name: b.Name, Role: b.Role, Scopes: b.Scopes, Expires: b.ExpiresAt})
			Audited(ctx, "token/"+t.ID, fmt.Sprintf("name=%q role=%s scopes=%v", t.Name, t.Role, t.Scopes))
			return &CreatedToken{Token: t, Secret: secret}, err
		})
	Delete(s, "/api/tokens/{id}", Op{ID: "revoke-token", Summary: "End an API token", Tag: "tokens", Audit: "token.revoke"},
		func(ctx context.Context, in *tokenInput) (*struct{}, error) {
			t, err := s.auth.RevokeToken(ctx, auth.FromContext(ctx), in.ID)
			Audited(ctx, "token/"+in.ID, fmt.Sprintf("name=%q", t.Name))
			return nil, err
		})
}
