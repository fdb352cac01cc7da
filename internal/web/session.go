package web

import (
	"context"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
)

const cookieBase = "daytwo_session"

// cookieName tells servers on different ports of one host apart: browsers send
// cookies to all of them.
func cookieName(r *http.Request) string {
	if _, port, err := net.SplitHostPort(r.Host); err == nil {
		return cookieBase + "_" + port
	}
	return cookieBase
}

func (s *Server) setCookie(x *exchange, value string, life time.Duration) {
	c := &http.Cookie{
		Name:     cookieName(x.r),
		Value:    value,
		Path:     "/",
		MaxAge:   int(life.Seconds()),
		HttpOnly: true,
		Secure:   s.https(x.r),
		SameSite: http.SameSiteLaxMode,
	}
	if value == "" {
		c.MaxAge = -1
	}
	http.SetCookie(x.w, c)
}

// Session is who the caller is.
type Session struct {
	Authenticated bool         `json:"authenticated"`
	User          *SessionUser `json:"user,omitempty"`
	Methods       []string     `json:"methods" doc:"how to sign in: password, link"`
}

// SessionUser is the user or token that calls.
type SessionUser struct {
	Kind        string    `json:"kind" enum:"user,token"`
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Email       string    `json:"email,omitempty"`
	Role        auth.Role `json:"role"`
	HasPassword bool      `json:"hasPassword" doc:"false: offer to set one, the one-time link works once"`
}

func sessionOf(u *SessionUser) *Session {
	return &Session{Authenticated: u != nil, User: u, Methods: []string{"password", "link"}}
}

func userSession(u auth.User) *Session {
	return sessionOf(&SessionUser{Kind: auth.KindUser, ID: u.ID, Name: u.Name, Email: u.Email, Role: u.Role, HasPassword: u.HasPassword})
}

type signInInput struct {
	Body struct {
		Name     string `json:"name" maxLength:"100"`
		Password string `json:"password" maxLength:"1024"`
	}
}

type redeemInput struct {
	Body struct {
		Token string `json:"token" maxLength:"100" doc:"from the one-time link"`
	}
}

func (s *Server) sessionRoutes() {
	Get(s, "/api/session", Op{ID: "get-session", Summary: "Tell who is signed in", Tag: "session", Public: true}, s.getSession)
	Post(s, "/api/session", Op{ID: "create-session", Summary: "Sign in by name and password", Tag: "session", Public: true, Audit: "session.create"},
		func(ctx context.Context, in *signInInput) (*Session, error) {
			x := exchangeOf(ctx)
			opened, err := s.auth.SignIn(ctx, in.Body.Name, in.Body.Password, s.clientAddr(x.r))
			if err != nil {
				return nil, err
			}
			return s.enter(x, opened, "by password"), nil
		})
	Post(s, "/api/session/redeem", Op{ID: "redeem-link", Summary: "Sign in by a one-time link", Tag: "session", Public: true, Audit: "session.create"},
		func(ctx context.Context, in *redeemInput) (*Session, error) {
			opened, err := s.auth.Redeem(ctx, in.Body.Token)
			if err != nil {
				return nil, err
			}
			return s.enter(exchangeOf(ctx), opened, "by one-time link"), nil
		})
	Delete(s, "/api/session", Op{ID: "delete-session", Summary: "Sign out", Tag: "session", Audit: "session.end"},
		func(ctx context.Context, _ *struct{}) (*struct{}, error) {
			x, p := exchangeOf(ctx), auth.FromContext(ctx)
			Audited(ctx, p.Kind+"/"+p.ID, "")
			if p.Session == "" {
				return nil, nil // a token has no session
			}
			c, err := x.r.Cookie(cookieName(x.r))
			if err != nil {
				return nil, err
			}
			s.setCookie(x, "", 0)
			return nil, s.auth.SignOut(ctx, c.Value)
		})
}

func (s *Server) getSession(ctx context.Context, _ *struct{}) (*Session, error) {
	x, p := exchangeOf(ctx), auth.FromContext(ctx)
	switch {
	case p.Anonymous():
		return sessionOf(nil), nil
	case p.Kind != auth.KindUser:
		return sessionOf(&SessionUser{Kind: p.Kind, ID: p.ID, Name: p.Name, Role: p.Role}), nil
	}
	u, err := s.auth.User(ctx, p.ID)
	if err != nil {
		return nil, err
	}
	if c, err := x.r.Cookie(cookieName(x.r)); err == nil {
		s.setCookie(x, c.Value, auth.SessionLife) // slides like the session itself
	}
	return userSession(u), nil
}

// enter answers a sign-in.
func (s *Server) enter(x *exchange, opened auth.Session, how string) *Session {
	x.actor, x.target, x.detail = opened.User.Name, "user/"+opened.User.ID, how
	s.setCookie(x, opened.Token, auth.SessionLife)
	return userSession(opened.User)
}

// baseURL is how the caller reaches this server.
func (s *Server) baseURL(r *http.Request) string {
	if s.cfg.PublicURL != "" {
		return strings.TrimRight(s.cfg.PublicURL, "/")
	}
	if s.https(r) {
		return "https://" + r.Host
	}
	return "http://" + r.Host
}
