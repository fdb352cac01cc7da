package web

import (
	"context"
	"fmt"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/auth"
)

type createUserInput struct {
	Body struct {
		Name     string    `json:"name" maxLength:"64"`
		Email    string    `json:"email,omitempty" maxLength:"254"`
		Role     auth.Role `json:"role"`
		Password string    `json:"password,omitempty" maxLength:"1024" doc:"absent: the answer holds a one-time link"`
	}
}

// CreatedUser is a new user and how they come in.
type CreatedUser struct {
	User auth.User `json:"user"`
	Link string    `json:"link,omitempty" doc:"signs in once, within the hour"`
}

type updateUserInput struct {
	ID   string `path:"id"`
	Body struct {
		Email    *string    `json:"email,omitempty" maxLength:"254"`
		Role     *auth.Role `json:"role,omitempty"`
		Disabled *bool      `json:"disabled,omitempty"`
	}
}

type setPasswordInput struct {
	ID   string `path:"id"`
	Body struct {
		Password string `json:"password" maxLength:"1024"`
		Current  string `json:"current,omitempty" maxLength:"1024" doc:"needed to change one's own"`
	}
}

// UserLink is a one-time link.
type UserLink struct {
	Link string `json:"link" doc:"signs in once, within the hour"`
}

type userInput struct {
	ID string `path:"id"`
}

func (s *Server) userRoutes() {
	Get(s, "/api/users", Op{ID: "list-users", Summary: "List users", Tag: "users", Role: auth.Admin},
		func(ctx context.Context, _ *struct{}) (*List[auth.User], error) {
			users, err := s.auth.Users(ctx)
			return &List[auth.User]{Items: users}, err
		})
	Post(s, "/api/users", Op{ID: "create-user", Summary: "Add a user", Tag: "users", Role: auth.Admin, Status: 201, Audit: "user.create"}, s.createUser)
	Patch(s, "/api/users/{id}", Op{ID: "update-user", Summary: "Change the role or e-mail address of a user, or disable them", Tag: "users", Role: auth.Admin, Audit: "user.update"},
		func(ctx context.Context, in *updateUserInput) (*auth.User, error) {
			c := auth.UserChange{Email: in.Body.Email, Role: in.Body.Role, Disabled: in.Body.Disabled}
			u, err := s.auth.UpdateUser(ctx, in.ID, c)
			Audited(ctx, "user/"+in.ID, changes(u.Name, c))
			return &u, err
		})
	Post(s, "/api/users/{id}/password", Op{ID: "set-password", Summary: "Set a password: one's own, or as an admin anybody's", Tag: "users", Audit: "user.password"},
		func(ctx context.Context, in *setPasswordInput) (*struct{}, error) {
			Audited(ctx, "user/"+in.ID, "")
			return nil, s.auth.SetPassword(ctx, auth.FromContext(ctx), in.ID, in.Body.Current, in.Body.Password)
		})
	Post(s, "/api/users/{id}/link", Op{ID: "create-user-link", Summary: "Make a one-time link that signs a user in", Tag: "users", Role: auth.Admin, Status: 201, Audit: "user.link"},
		func(ctx context.Context, in *userInput) (*UserLink, error) {
			Audited(ctx, "user/"+in.ID, "")
			link, err := s.auth.OneTimeLink(ctx, in.ID)
			return &UserLink{Link: s.baseURL(exchangeOf(ctx).r) + link}, err
		})
}

func (s *Server) createUser(ctx context.Context, in *createUserInput) (*CreatedUser, error) {
	b := in.Body
	u, err := s.auth.CreateUser(ctx, auth.NewUser{Name: b.Name, Email: b.Email, Role: b.Role, Password: b.Password})
	if err != nil {
		return nil, err
	}
	Audited(ctx, "user/"+u.ID, fmt.Sprintf("name=%s role=%s", u.Name, u.Role))
	out := &CreatedUser{User: u}
	if b.Password == "" {
		link, err := s.auth.OneTimeLink(ctx, u.ID)
		if err != nil {
			return nil, err
		}
		out.Link = s.baseURL(exchangeOf(ctx).r) + link
	}
	return out, nil
}

func changes(name string, c auth.UserChange) string {
	parts := []string{"name=" + name}
	if c.Email != nil {
		parts = append(parts, "email="+*c.Email)
	}
	if c.Role != nil {
		parts = append(parts, "role="+c.Role.String())
	}
	if c.Disabled != nil {
		parts = append(parts, fmt.Sprintf("disabled=%t", *c.Disabled))
	}
	return strings.Join(parts, " ")
}
