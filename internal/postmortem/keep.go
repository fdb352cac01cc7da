package postmortem

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// The limits of Written, for callers that do not come through the API.
const (
	maxTitle   = 500
	maxText    = 64 << 10
	maxActions = 100
)

// Get returns a postmortem with its timeline.
func (p *Postmortems) Get(ctx context.Context, id string) (d Detail, err error) {
	err = p.db.Read(ctx, func(tx *store.Tx) error {
		d, err = load(ctx, tx, id)
		return err
	})
	return d, err
}

// Filter selects postmortems.
type Filter struct {
	Incident string // its id; empty: any
	Service  string
	Before   string // only those with a lower id; empty: all
	Limit    int
}

// List returns the postmortems f selects, newest first, and whether there are more.
func (p *Postmortems) List(ctx context.Context, f Filter) (list []Postmortem, more bool, err error) {
	where, args := `1 = 1`, []any{}
	for _, term := range []struct{ where, value string }{
		{`incident_id = ?`, f.Incident}, {`service = ?`, f.Service}, {`id < ?`, f.Before},
	} {
		if term.value != "" {
			where, args = where+` AND `+term.where, append(args, store.Text(term.value))
		}
	}
	list = []Postmortem{}
	err = p.db.Read(ctx, func(tx *store.Tx) error {
		rows, err := tx.Query(ctx, `SELECT `+columns+` FROM postmortems WHERE `+where+` ORDER BY id DESC LIMIT ?`, append(args, f.Limit+1)...)
		if err != nil {
			return fmt.Errorf("list postmortems: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			m, err := scan(rows)
			if err != nil {
				return err
			}
			list = append(list, m)
		}
		return rows.Err()
	})
	if len(list) > f.Limit {
		return list[:f.Limit], true, err
	}
	return list, false, err
}

// Update replaces what people wrote, on top of the version they saw. When somebody saved in between it is a Conflict, and
// nothing changes.
func (p *Postmortems) Update(ctx context.Context, id string, version int64, w Written, actor string) (d Detail, err error) {
	if err := w.check(); err != nil {
		return Detail{}, err
	}
	err = p.db.Write(ctx, func(tx *store.Tx) error {
		if d, err = load(ctx, tx, id); err != nil {
			return err
		}
		if d.Version != version {
			return problem.New(problem.Conflict, "somebody saved this postmortem since you opened it: it is version %d, not %d", d.Version, version).
				WithMend("load it again, and put your changes on top")
		}
		published := d.Status != Published && w.Status == Published
		d.Written, d.Version, d.UpdatedAt = w, version+1, p.clock()
		if err := update(ctx, tx, d.Postmortem); err != nil || !published {
			return err
		}
		return p.tell(ctx, tx, d.Postmortem, "published", actor)
	})
	return d, err
}

// check tidies w and says what is wrong with it.
func (w *Written) check() error {
	if w.Title = store.Text(oneLine(w.Title)); w.Title == "" || len(w.Title) > maxTitle {
		return problem.New(problem.Invalid, "the title needs 1 to %d bytes", maxTitle).WithField("title")
	}
	if w.Status != Draft && w.Status != Published {
		return problem.New(problem.Invalid, "there is no status %q", w.Status).WithField("status").WithMend("use draft or published")
	}
	for _, text := range []struct {
		field string
		value *string
	}{{"summary", &w.Summary}, {"impact", &w.Impact}, {"rootCause", &w.RootCause}, {"lessons", &w.Lessons}} {
		if *text.value = store.Text(*text.value); len(*text.value) > maxText {
			return problem.New(problem.TooLarge, "%s has %d bytes, more than %d", text.field, len(*text.value), maxText).WithField(text.field)
		}
	}
	if len(w.Actions) > maxActions {
		return problem.New(problem.TooLarge, "%d actions are more than %d", len(w.Actions), maxActions).WithField("actions")
	}
	w.Actions = append([]Action{}, w.Actions...)
	for i := range w.Actions {
		a := &w.Actions[i]
		if a.Text, a.Owner = store.Text(oneLine(a.Text)), store.Text(oneLine(a.Owner)); a.Text == "" {
			return problem.New(problem.Invalid, "action %d says nothing", i+1).WithField("actions")
		}
	}
	return nil
}

const columns = `id, version, created_at, updated_at, facts, written`

func scan(row interface{ Scan(dest ...any) error }, more ...any) (m Postmortem, err error) {
	var created, updated int64
	var facts, written string
	if err := row.Scan(append([]any{&m.ID, &m.Version, &created, &updated, &facts, &written}, more...)...); err != nil {
		return m, err
	}
	m.CreatedAt, m.UpdatedAt = store.FromMicros(created), store.FromMicros(updated)
	err = errors.Join(json.Unmarshal([]byte(facts), &m.Facts), json.Unmarshal([]byte(written), &m.Written))
	if err != nil {
		return m, fmt.Errorf("postmortem %s: %w", m.ID, err)
	}
	return m, nil
}

// find returns nil when there is none.
func find(ctx context.Context, tx *store.Tx, where string, arg string) (*Detail, error) {
	var entries string
	m, err := scan(tx.QueryRow(ctx, `SELECT `+columns+`, timeline FROM postmortems WHERE `+where, store.Text(arg)), &entries)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	d := &Detail{Postmortem: m}
	if err == nil {
		err = json.Unmarshal([]byte(entries), &d.Timeline)
	}
	if err != nil {
		return nil, fmt.Errorf("read postmortem: %w", err)
	}
	return d, nil
}

func load(ctx context.Context, tx *store.Tx, id string) (Detail, error) {
	d, err := find(ctx, tx, `id = ?`, id)
	if err == nil && d == nil {
		err = problem.New(problem.NotFound, "there is no postmortem %q", id).WithMend("see GET /api/postmortems")
	}
	return deref(d), err
}

func deref(d *Detail) Detail {
	if d == nil {
		return Detail{}
	}
	return *d
}

func insert(ctx context.Context, tx *store.Tx, d Detail) error {
	texts, err := encode(d.Facts, d.Written, slices.Clip(d.Timeline))
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `INSERT INTO postmortems (id, incident_id, service, status, version, created_at, updated_at, facts, written, timeline)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		d.ID, d.IncidentID, d.Service, string(d.Status), d.Version, d.CreatedAt, d.UpdatedAt, texts[0], texts[1], texts[2])
	if err != nil {
		return fmt.Errorf("draft postmortem: %w", err)
	}
	return nil
}

func update(ctx context.Context, tx *store.Tx, m Postmortem) error {
	texts, err := encode(m.Written)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx, `UPDATE postmortems SET status = ?, version = ?, updated_at = ?, written = ? WHERE id = ?`,
		string(m.Status), m.Version, m.UpdatedAt, texts[0], m.ID)
	if err != nil {
		return fmt.Errorf("save postmortem: %w", err)
	}
	return nil
}

func encode(values ...any) (texts []string, err error) {
	for _, v := range values {
		text, err := json.Marshal(v)
		if err != nil {
			return nil, fmt.Errorf("save postmortem: %w", err)
		}
		texts = append(texts, string(text))
	}
	return texts, nil
}
