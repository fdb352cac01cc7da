package auth

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// User is somebody who can sign in.
type User struct {
	ID          string    `json:"id"`
	Name        string    `json:"name"`
	Email       string    `json:"email,omitempty"`
	Role        Role      `json:"role"`
	Disabled    bool      `json:"disabled"`
	HasPassword bool      `json:"hasPassword" doc:"without one, only a one-time link lets the user in"`
	CreatedAt   time.Time `json:"createdAt"`
	SeenAt      time.Time `json:"seenAt,omitzero" doc:"to the hour; absent for a user who has never signed in"`

	password string
}

// NewUser is what a user is made of.
type NewUser struct {
	Name     string
	Email    string
	Role     Role
	Password string // empty: none; the user comes in by a one-time link
}

// UserChange changes what is set.
type UserChange struct {
	Email    *string
	Role     *Role
	Disabled *bool
}

var userName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)

func (n *NewUser) check() error {
	n.Name = strings.ToLower(strings.TrimSpace(n.Name))
	if !userName.MatchString(n.Name) {
		return problem.New(problem.Invalid, "%q is not a user name", n.Name).
			WithField("name").WithMend("use up to 64 letters, digits, dots, dashes and underscores, for example ada.park")
	}
	if n.Password != "" {
		if err := CheckPassword(n.Name, n.Password); err != nil {
			return err
		}
	}
	return checkEmail(n.Email)
}

func checkEmail(email string) error {
	if email == "" {
		return nil
	}
	if a, err := mail.ParseAddress(email); err != nil || a.Address != email {
		return problem.New(problem.Invalid, "%q is not an e-mail address", email).
			WithField("email").WithMend("write it like ada@example.com, or leave it out")
	}
	return nil
}

// Users lists all users by name.
func (a *Auth) Users(ctx context.Context) (users []User, err error) {
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		users, err = queryUsers(ctx, tx, "")
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("list users: %w", err)
	}
	return users, nil
}

// User returns one user.
func (a *Auth) User(ctx context.Context, id string) (u User, err error) {
	err = a.db.Read(ctx, func(tx *store.Tx) error {
		u, err = userByID(ctx, tx, id)
		return err
	})
	if err != nil {
		return User{}, fmt.Errorf("user: %w", err)
	}
	return u, nil
}

// CreateUser adds a user.
func (a *Auth) CreateUser(ctx context.Context, n NewUser) (u User, err error) {
	if err := n.check(); err != nil {
		return User{}, err
	}
	var hash string
	if n.Password != "" {
		if hash, err = a.hashPassword(ctx, n.Password); err != nil {
			return User{}, err
		}
	}
	n.Password = hash
	err = a.db.Write(ctx, func(tx *store.Tx) error {
		u, err = a.insertUser(ctx, tx, n)
		return err
	})
	if err != nil {
		return User{}, fmt.Errorf("create user: %w", err)
	}
	return u, nil
}

// insertUser adds a checked user whose Password is hashed already.
func (a *Auth) insertUser(ctx context.Context, tx *store.Tx, n NewUser) (User, error) {
	same, err := queryUsers(ctx, tx, "WHERE name = ?", n.Name)
	if err != nil {
		return User{}, err
	}
	if len(same) > 0 {
		return User{}, problem.New(problem.Conflict, "there is a user %q already", n.Name).
			WithField("name").WithMend("choose another name, or change that user")
	}
	u := User{ID: event.NewID(), Name: n.Name, Email: n.Email, Role: n.Role, CreatedAt: a.now(), password: n.Password, HasPassword: n.Password != ""}
	_, err = tx.Exec(ctx, `INSERT INTO auth_users (id, name, email, role, password, disabled, created_at, seen_at) VALUES (?, ?, ?, ?, ?, 0, ?, 0)`,
		u.ID, u.Name, u.Email, u.Role.String(), u.password, u.CreatedAt)
	return u, err
}

// UpdateUser changes a user. Whoever is disabled is signed out everywhere, and
// their tokens stop working. The last enabled admin stays one.
func (a *Auth) UpdateUser(ctx context.Context, id string, c UserChange) (u User, err error) {
	if c.Email != nil {
		if err := checkEmail(*c.Email); err != nil {
			return User{}, err
		}
	}
	err = a.db.Write(ctx, func(tx *store.Tx) error {
		if u, err = userByID(ctx, tx, id); err != nil {
			return err
		}
		wasAdmin := u.Role == Admin && !u.Disabled
		if c.Email != nil {
			u.Email = *c.Email
		}
		if c.Role != nil {
			u.Role = *c.Role
		}
		if c.Disabled != nil {
			u.Disabled = *c.Disabled
		}
		if wasAdmin && (u.Role != Admin || u.Disabled) {
			if err := keepsAdmin(ctx, tx, id); err != nil {
				return err
			}
		}
		if _, err := tx.Exec(ctx, `UPDATE auth_users SET email = ?, role = ?, disabled = ? WHERE id = ?`, u.Email, u.Role.String(), u.Disabled, id); err != nil {
			return err
		}
		if u.Disabled {
			return endSessions(ctx, tx, id, "")
		}
		return nil
	})
	if err != nil {
		return User{}, fmt.Errorf("change user: %w", err)
	}
	return u, nil
}

func keepsAdmin(ctx context.Context, tx *store.Tx, without string) error {
	admins, err := queryUsers(ctx, tx, "WHERE role = ? AND disabled = 0 AND id <> ?", Admin.String(), without)
	if err != nil {
		return err
	}
	if len(admins) == 0 {
		return problem.New(problem.Conflict, "this is the only admin").WithMend("make somebody else an admin first")
	}
	return nil
}

// SetPassword sets the password of a user and ends their other sessions. Users
// who set their own give the one they have (current), unless they have none or
// came by a one-time link, which lets them do it once; an admin sets that of others
// without it.
func (a *Auth) SetPassword(ctx context.Context, by Principal, id, current, password string) error {
	u, err := a.User(ctx, id)
	if err != nil {
		return err
	}
	own := by.Kind == KindUser && by.ID == id
	if !own {
		if err := by.Allows(Admin); err != nil {
			return err
		}
	}
	if err := CheckPassword(u.Name, password); err != nil {
		return err
	}
	if own && u.HasPassword && !by.ViaLink {
		switch ok, err := a.tryPassword(ctx, u, "password/"+id, current); {
		case err != nil:
			return err
		case !ok:
			return problem.New(problem.Forbidden, "the current password is not right").
				WithField("current").WithMend("correct it, or ask an admin for a one-time link to sign in by")
		}
	}
	hash, err := a.hashPassword(ctx, password)
	if err != nil {
		return err
	}
	err = a.db.Write(ctx, func(tx *store.Tx) error {
		if _, err := tx.Exec(ctx, `UPDATE auth_users SET password = ? WHERE id = ?`, hash, id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `DELETE FROM auth_links WHERE user_id = ?`, id); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE auth_sessions SET via_link = 0 WHERE hash = ?`, by.Session); err != nil {
			return err
		}
		return endSessions(ctx, tx, id, by.Session)
	})
	if err != nil {
		return fmt.Errorf("set password: %w", err)
	}
	return nil
}

const userColumns = `id, name, email, role, password, disabled, created_at, seen_at`

func scanUser(row interface{ Scan(...any) error }) (u User, err error) {
	var role string
	var created, seen int64
	if err := row.Scan(&u.ID, &u.Name, &u.Email, &role, &u.password, &u.Disabled, &created, &seen); err != nil {
		return User{}, err
	}
	u.HasPassword = u.password != ""
	u.CreatedAt, u.SeenAt = store.FromMicros(created), store.FromMicros(seen)
	u.Role, err = ParseRole(role)
	return u, err
}

func userByID(ctx context.Context, tx *store.Tx, id string) (User, error) {
	u, err := scanUser(tx.QueryRow(ctx, `SELECT `+userColumns+` FROM auth_users WHERE id = ?`, id))
	if errors.Is(err, sql.ErrNoRows) {
		return User{}, notFound("user", id)
	}
	return u, err
}

func queryUsers(ctx context.Context, tx *store.Tx, where string, args ...any) ([]User, error) {
	rows, err := tx.Query(ctx, `SELECT `+userColumns+` FROM auth_users `+where+` ORDER BY name`, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var users []User
	for rows.Next() {
		u, err := scanUser(rows)
		if err != nil {
			return nil, err
		}
		users = append(users, u)
	}
	return users, rows.Err()
}
