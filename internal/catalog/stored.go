package catalog

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/schedule"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// Kind is a kind of entry.
type Kind string

// The kinds.
const (
	KindPerson      Kind = "person"
	KindTeam        Kind = "team"
	KindSchedule    Kind = "schedule"
	KindPolicy      Kind = "policy"
	KindService     Kind = "service"
	KindPriority    Kind = "priority"
	KindMaintenance Kind = "maintenance"
	KindStatusPage  Kind = "status page" // there is one
	KindContact     Kind = "contact"     // of a person
	KindRule        Kind = "rule"        // of a person
	KindOverride    Kind = "override"    // of a schedule
	kindHistory     Kind = "history"     // the layers of a schedule of a file, as they came to be
	kindDeclared    Kind = "declared"    // the overrides of a schedule of a file, as they came to be
	kindKey         Kind = "key"         // of an integration of a file that names none
)

// stored is one row.
type stored struct {
	kind    Kind
	id      string
	parent  string
	data    []byte
	created time.Time
	updated time.Time
	by      string // who updated it; empty: daytwo
}

// shelf is everything stored, at one version.
type shelf struct {
	version int64
	rows    map[Kind][]stored // oldest first
}

// loadShelf reads everything.
func loadShelf(ctx context.Context, tx *store.Tx) (*shelf, error) {
	s := &shelf{rows: map[Kind][]stored{}}
	if err := tx.QueryRow(ctx, `SELECT version FROM catalog_version WHERE id = 1`).Scan(&s.version); err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	rows, err := tx.Query(ctx, `SELECT kind, id, parent, data, created_at, updated_at, updated_by FROM catalog_entries ORDER BY created_at, id`)
	if err != nil {
		return nil, fmt.Errorf("read the catalog: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var r stored
		var data string
		var created, updated int64
		if err := rows.Scan(&r.kind, &r.id, &r.parent, &data, &created, &updated, &r.by); err != nil {
			return nil, fmt.Errorf("read the catalog: %w", err)
		}
		r.data, r.created, r.updated = []byte(data), store.FromMicros(created), store.FromMicros(updated)
		s.rows[r.kind] = append(s.rows[r.kind], r)
	}
	return s, rows.Err()
}

// clone shares the rows' data, which is never changed in place.
func (s *shelf) clone() *shelf {
	c := &shelf{version: s.version, rows: maps.Clone(s.rows)}
	for kind := range c.rows {
		c.rows[kind] = slices.Clone(c.rows[kind])
	}
	return c
}

// change is one edit of the shelf within a transaction.
type change struct {
	ctx   context.Context
	tx    *store.Tx
	shelf *shelf
	now   time.Time
}

// put stores an entry under its kind and id.
func (c *change) put(kind Kind, id, parent string, entry any) error {
	data, err := json.Marshal(entry)
	if err != nil {
		return fmt.Errorf("store %s: %w", kind, err)
	}
	by := ""
	if p := auth.FromContext(c.ctx); !p.Anonymous() {
		by = p.String()
	}
	rows := c.shelf.rows[kind]
	if at := slices.IndexFunc(rows, func(r stored) bool { return r.id == id }); at >= 0 {
		rows[at].data, rows[at].parent, rows[at].updated, rows[at].by = data, parent, c.now, by
		_, err = c.tx.Exec(c.ctx, `UPDATE catalog_entries SET data = ?, parent = ?, updated_at = ?, updated_by = ? WHERE kind = ? AND id = ?`,
			string(data), parent, c.now, by, string(kind), id)
	} else {
		c.shelf.rows[kind] = append(rows, stored{kind, id, parent, data, c.now, c.now, by})
		_, err = c.tx.Exec(c.ctx, `INSERT INTO catalog_entries (id, kind, parent, data, created_at, updated_at, updated_by) VALUES (?, ?, ?, ?, ?, ?, ?)`,
			id, string(kind), parent, string(data), c.now, c.now, by)
	}
	if err != nil {
		return fmt.Errorf("store %s: %w", kind, err)
	}
	return nil
}

// drop removes an entry.
func (c *change) drop(kind Kind, id string) error {
	c.shelf.rows[kind] = slices.DeleteFunc(c.shelf.rows[kind], func(r stored) bool { return r.id == id })
	if _, err := c.tx.Exec(c.ctx, `DELETE FROM catalog_entries WHERE kind = ? AND id = ?`, string(kind), id); err != nil {
		return fmt.Errorf("remove %s: %w", kind, err)
	}
	return nil
}

// dropOf removes everything of a kind that belongs to something.
func (c *change) dropOf(kind Kind, parent string) error {
	for _, r := range slices.Clone(c.shelf.rows[kind]) {
		if r.parent == parent {
			if err := c.drop(kind, r.id); err != nil {
				return err
			}
		}
	}
	return nil
}

// merge puts files and shelf together. Where both have an entry of one name, the file's counts.
func merge(file *Catalog, s *shelf) (c *Catalog, shadowed []string) {
	merged := *file
	c = &merged
	c.People, shadowed = added(file.People, s, KindPerson, shadowed, func(p Person) string { return p.Name })
	c.Teams, shadowed = added(file.Teams, s, KindTeam, shadowed, func(t Team) string { return t.Name })
	c.Schedules, shadowed = added(file.Schedules, s, KindSchedule, shadowed, func(x Schedule) string { return x.Name })
	c.Policies, shadowed = added(file.Policies, s, KindPolicy, shadowed, func(p Policy) string { return p.Name })
	c.Services, shadowed = added(file.Services, s, KindService, shadowed, func(x Service) string { return x.Name })
	c.Priorities, shadowed = added(file.Priorities, s, KindPriority, shadowed, func(p Priority) string { return p.Name })
	c.Maintenance, shadowed = added(file.Maintenance, s, KindMaintenance, shadowed, func(m Maintenance) string { return m.ID })
	for _, r := range s.rows[KindStatusPage] {
		page, ok := decode[StatusPage](r)
		switch {
		case !ok:
		case file.StatusPage.File != "":
			shadowed = append(shadowed, string(KindStatusPage))
		default:
			c.StatusPage = page
		}
	}
	for i := range c.People {
		completePerson(&c.People[i], s)
	}
	for i := range c.Schedules {
		completeSchedule(&c.Schedules[i], s)
	}
	completeKeys(c, s)
	return c.seal(), shadowed
}

// added appends the stored entries of a kind whose name no entry of the file has.
func added[T any](file []T, s *shelf, kind Kind, shadowed []string, name func(T) string) ([]T, []string) {
	list := slices.Clone(file)
	if list == nil {
		list = []T{}
	}
	for _, r := range s.rows[kind] {
		entry, ok := decode[T](r)
		switch {
		case !ok:
		case slices.ContainsFunc(file, func(f T) bool { return name(f) == name(entry) }):
			shadowed = append(shadowed, fmt.Sprintf("%s %q", kind, name(entry)))
		default:
			list = append(list, entry)
		}
	}
	return list, shadowed
}

func decode[T any](r stored) (T, bool) {
	var entry T
	err := json.Unmarshal(r.data, &entry)
	return entry, err == nil
}

func completePerson(p *Person, s *shelf) {
	if p.File == "" {
		p.Contacts = builtin(*p)
		for i := range p.Contacts { // who made the person vouches for these
			p.Contacts[i].ID, p.Contacts[i].Verified = idOf(KindContact, p.ID, p.Contacts[i].Channel), new(time.Unix(0, 0).UTC())
		}
	}
	p.Contacts, p.Rules = slices.Clone(p.Contacts), slices.Clone(p.Rules)
	if p.Rules == nil {
		p.Rules = []Rule{}
	}
	for _, r := range s.rows[KindContact] {
		if contact, ok := decode[Contact](r); ok && r.parent == p.ID {
			p.Contacts = append(p.Contacts, contact)
		}
	}
	declared := slices.Clone(p.Rules)
	for _, r := range s.rows[KindRule] {
		rule, ok := decode[Rule](r)
		if ok && r.parent == p.ID && !slices.ContainsFunc(declared, func(d Rule) bool { return d.Urgency == rule.Urgency }) {
			p.Rules = append(p.Rules, rule)
		}
	}
}

func completeSchedule(x *Schedule, s *shelf) {
	if x.File != "" {
		for _, r := range s.rows[kindHistory] {
			if past, ok := decode[schedule.Definition](r); ok && r.id == x.ID {
				x.Layers = past.Layers
			}
		}
	}
	x.Overrides = slices.Clone(x.Overrides)
	for _, r := range s.rows[kindDeclared] {
		if d, ok := decode[declared](r); ok && r.id == x.ID && x.File != "" {
			x.Overrides = slices.Clone(d.overrides())
		}
	}
	for _, r := range s.rows[KindOverride] {
		if o, ok := decode[schedule.Override](r); ok && r.parent == x.ID {
			x.Overrides = append(x.Overrides, o)
		}
	}
}

// completeKeys gives integrations of files that name no key the one that was made for them.
func completeKeys(c *Catalog, s *shelf) {
	keys := map[string]string{}
	for _, r := range s.rows[kindKey] {
		if key, ok := decode[string](r); ok {
			keys[r.id] = key
		}
	}
	for i := range c.Services {
		integrations := slices.Clone(c.Services[i].Integrations)
		for j := range integrations {
			if integrations[j].Key == "" {
				integrations[j].Key = keys[integrations[j].ID]
			}
		}
		c.Services[i].Integrations = integrations
	}
}

// putIfNew stores an entry unless the same is stored already.
func (c *change) putIfNew(kind Kind, id string, entry any) error {
	data, err := json.Marshal(entry)
	if err != nil {
		return fmt.Errorf("store %s: %w", kind, err)
	}
	for _, r := range c.shelf.rows[kind] {
		if r.id == id && string(r.data) == string(data) {
			return nil
		}
	}
	return c.put(kind, id, "", entry)
}
