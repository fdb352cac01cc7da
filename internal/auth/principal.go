package auth

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Role is what a principal may do at most. Roles are ordered: each one may do
// everything the roles below it may.
type Role int

// The roles, least first. The zero Role is Viewer, so that forgetting to name
// one never opens more than reading.
const (
	Viewer    Role = iota // sees everything but secrets
	Responder             // acknowledges, resolves, notes
	Operator              // runs what changes production: deploys, rollbacks, runs
	Admin                 // users, tokens, audit log, settings
)

var roleNames = [...]string{"viewer", "responder", "operator", "admin"}

func (r Role) String() string {
	if r < Viewer || r > Admin {
		return fmt.Sprintf("role(%d)", int(r))
	}
	return roleNames[r]
}

// ParseRole reads a role by its name.
func ParseRole(s string) (Role, error) {
	if i := slices.Index(roleNames[:], s); i >= 0 {
		return Role(i), nil
	}
	return Viewer, problem.New(problem.Invalid, "there is no role %q", s).
		WithField("role").WithMend("use one of %s", strings.Join(roleNames[:], ", "))
}

// MarshalText writes the role by its name.
func (r Role) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads the role by its name.
func (r *Role) UnmarshalText(b []byte) (err error) {
	*r, err = ParseRole(string(b))
	return err
}

// Scope narrows what a token may use of its role.
type Scope string

const (
	ScopeAll     Scope = "*"       // all the role allows
	ScopeRead    Scope = "read"    // what a viewer may
	ScopeIngest  Scope = "ingest"  // sending data, nothing else
	ScopeOperate Scope = "operate" // what an operator may, whatever the role
)

// Scopes lists the scopes a token can have.
func Scopes() []Scope { return []Scope{ScopeAll, ScopeRead, ScopeIngest, ScopeOperate} }

// The kinds of principals.
const (
	KindAnonymous = "anonymous"
	KindUser      = "user"
	KindToken     = "token"
	KindSystem    = "system"
)

// Principal is who acts. The zero Principal is anonymous.
type Principal struct {
	Kind   string // one of the Kind constants; "" means anonymous
	ID     string // of the user or token
	Name   string
	Role   Role
	Scopes []Scope

	// Owner is the user a token belongs to, the user itself for a session,
	// and empty for daytwo's own and for the token from the environment.
	Owner string
	// Session names the session a user came with, so that changing a password
	// can end all the others.
	Session string
	// ViaLink says that the session was opened by a one-time link within the
	// last hour: its user may set a password without knowing the one before.
	ViaLink bool
}

// System is the principal of daytwo's own actions.
func System(name string) Principal {
	return Principal{Kind: KindSystem, ID: name, Name: name, Role: Admin, Scopes: []Scope{ScopeAll}}
}

// Anonymous reports whether nobody has signed in.
func (p Principal) Anonymous() bool { return p.Kind == "" || p.Kind == KindAnonymous }

// String names the principal as the audit log and the timeline do: a user by
// the bare name, others with their kind.
func (p Principal) String() string {
	switch {
	case p.Anonymous():
		return KindAnonymous
	case p.Kind == KindUser:
		return p.Name
	default:
		return p.Kind + ":" + p.Name
	}
}

// Called says who acted, as String wrote it, the way people do: a token and a
// part of daytwo by its name ("ci token", "alert rules"), anybody else as they
// are called.
func Called(actor string) string {
	kind, name, _ := strings.Cut(actor, ":")
	switch kind {
	case KindToken:
		return name + " token"
	case KindSystem:
		return name
	}
	return actor
}

// Allows says whether the principal may do what needs the role. The error is a
// problem that names the role needed and the one had.
func (p Principal) Allows(need Role) error {
	if p.Anonymous() {
		return problem.New(problem.Unauthenticated, "sign in first: this needs the role %s", need).
			WithMend("open /sign-in in a browser, or send an API token as \"Authorization: Bearer dt_…\"")
	}
	var had Role
	var any bool
	for _, s := range p.Scopes {
		r := p.Role
		switch s {
		case ScopeAll:
		case ScopeRead:
			r = Viewer
		case ScopeOperate:
			r = Operator
		default:
			continue
		}
		if !any || r > had {
			had, any = r, true
		}
	}
	switch {
	case any && had >= need:
		return nil
	case !any:
		return problem.New(problem.Forbidden, "this needs the role %s; %s has only the scopes %s", need, p, scopeList(p.Scopes)).
			WithMend("use a token with the scope \"*\" or \"read\"")
	case had < p.Role:
		return problem.New(problem.Forbidden, "this needs the role %s; %s has the role %s narrowed to %s by its scopes %s", need, p, p.Role, had, scopeList(p.Scopes)).
			WithMend("use a token with the scope \"*\"")
	default:
		return problem.New(problem.Forbidden, "this needs the role %s; %s has the role %s", need, p, had).
			WithMend("ask an admin to raise the role, or let somebody with the role %s do it", need)
	}
}

// AllowsIngest says whether the principal may send data: with the scope
// "ingest", or with all scopes and a role of at least responder.
func (p Principal) AllowsIngest() error {
	if p.Anonymous() {
		return problem.New(problem.Unauthenticated, "sending data needs a token").
			WithMend("send an API token with the scope \"ingest\" as \"Authorization: Bearer dt_…\"")
	}
	if slices.Contains(p.Scopes, ScopeIngest) || slices.Contains(p.Scopes, ScopeAll) && p.Role >= Responder {
		return nil
	}
	return problem.New(problem.Forbidden, "sending data needs the scope \"ingest\"; %s has the role %s and the scopes %s", p, p.Role, scopeList(p.Scopes)).
		WithMend("make a token with the scope \"ingest\"")
}

// unscoped refuses tokens narrowed by scopes: they never make or end tokens.
func (p Principal) unscoped() error {
	if p.Anonymous() || slices.Contains(p.Scopes, ScopeAll) {
		return p.Allows(Viewer)
	}
	return problem.New(problem.Forbidden, "tokens are handled with the scope \"*\"; %s has only %s", p, scopeList(p.Scopes)).
		WithMend("sign in, or use a token with the scope \"*\"")
}

func scopeList(scopes []Scope) string {
	if len(scopes) == 0 {
		return "(none)"
	}
	names := make([]string, len(scopes))
	for i, s := range scopes {
		names[i] = fmt.Sprintf("%q", s)
	}
	return strings.Join(names, ", ")
}

type principalKey struct{}

// WithPrincipal returns a context in which p acts.
func WithPrincipal(ctx context.Context, p Principal) context.Context {
	return context.WithValue(ctx, principalKey{}, p)
}

// FromContext returns who acts in the context, the anonymous zero value if nobody.
func FromContext(ctx context.Context) Principal {
	p, _ := ctx.Value(principalKey{}).(Principal)
	return p
}
