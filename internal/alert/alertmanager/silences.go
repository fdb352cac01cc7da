package alertmanager

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/alertmanager/matcher/compat"
	"github.com/prometheus/alertmanager/pkg/labels"
	"github.com/prometheus/alertmanager/silence"
	"github.com/prometheus/alertmanager/silence/silencepb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Silence keeps the alerts that it matches from being told, for a time.
type Silence struct {
	ID        string    `json:"id"`
	State     string    `json:"state" enum:"active,pending,expired"`
	Matchers  []string  `json:"matchers" doc:"as severity=\"critical\"; an alert must match all of them"`
	StartsAt  time.Time `json:"startsAt"`
	EndsAt    time.Time `json:"endsAt"`
	CreatedBy string    `json:"createdBy"`
	Comment   string    `json:"comment"`
	UpdatedAt time.Time `json:"updatedAt"`

	matchers labels.Matchers
}

// Matches tells whether all matchers of the silence hold for labels.
func (s Silence) Matches(set map[string]string) bool { return s.matchers.Matches(labelSet(set)) }

var matcherSigns = map[silencepb.Matcher_Type]labels.MatchType{
	silencepb.Matcher_EQUAL: labels.MatchEqual, silencepb.Matcher_NOT_EQUAL: labels.MatchNotEqual,
	silencepb.Matcher_REGEXP: labels.MatchRegexp, silencepb.Matcher_NOT_REGEXP: labels.MatchNotRegexp,
}

func fromProto(p *silencepb.Silence) Silence {
	s := Silence{
		ID: p.Id, Matchers: []string{}, StartsAt: p.StartsAt.AsTime(), EndsAt: p.EndsAt.AsTime(),
		CreatedBy: p.CreatedBy, Comment: p.Comment, UpdatedAt: p.UpdatedAt.AsTime(),
	}
	s.State = string(silence.CurrentState(s.StartsAt, s.EndsAt))
	for _, set := range p.MatcherSets {
		for _, m := range set.Matchers {
			made, err := labels.NewMatcher(matcherSigns[m.Type], m.Name, m.Pattern)
			if err != nil {
				continue // it was checked when the silence was made
			}
			s.matchers, s.Matchers = append(s.matchers, made), append(s.Matchers, made.String())
		}
	}
	return s
}

// order is that of Alertmanager: what ends or begins next first, what has ended last.
func order(a, b Silence) int {
	rank := map[string]int{"active": 0, "pending": 1, "expired": 2}
	if a.State != b.State {
		return rank[a.State] - rank[b.State]
	}
	switch a.State {
	case "pending":
		return a.StartsAt.Compare(b.StartsAt)
	case "expired":
		return b.EndsAt.Compare(a.EndsAt)
	}
	return a.EndsAt.Compare(b.EndsAt)
}

// Silences lists them: what ends next first, what has ended last.
func (m *Manager) Silences(ctx context.Context) ([]Silence, error) {
	found, _, err := m.silences.Query(ctx)
	if err != nil {
		return nil, err
	}
	all := []Silence{}
	for _, p := range found {
		all = append(all, fromProto(p))
	}
	slices.SortStableFunc(all, order)
	return all, nil
}

// Silence returns one.
func (m *Manager) Silence(ctx context.Context, id string) (Silence, error) {
	found, err := m.silences.QueryOne(ctx, silence.QIDs(id))
	if errors.Is(err, silence.ErrNotFound) {
		return Silence{}, problem.New(problem.NotFound, "there is no silence %q", id)
	}
	if err != nil {
		return Silence{}, err
	}
	return fromProto(found), nil
}

// ParseMatchers reads matchers such as severity="critical", one a text or several with commas between.
func ParseMatchers(texts []string) (labels.Matchers, error) {
	parseMatchersAsAlertmanagerDoes()
	var all labels.Matchers
	for _, text := range texts {
		if strings.TrimSpace(text) == "" {
			continue
		}
		parsed, err := compat.Matchers(text, "api")
		if err != nil {
			return nil, problem.New(problem.Invalid, "%q is no matcher: %v", text, err).
				WithField("matchers").WithMend(`write for example service="checkout" or severity=~"warning|critical"`)
		}
		all = append(all, parsed...)
	}
	if len(all) == 0 {
		return nil, problem.New(problem.Invalid, "no matcher is given").WithField("matchers").
			WithMend(`write for example service="checkout"`)
	}
	if !slices.ContainsFunc(all, func(m *labels.Matcher) bool { return !m.Matches("") }) {
		return nil, problem.New(problem.Invalid, "these matchers hold for alerts without these labels too: they would silence everything").
			WithField("matchers").WithMend("add one that names a value")
	}
	return all, nil
}

// SetSilence makes a silence, or changes the one of s.ID. It counts once it is in the store.
func (m *Manager) SetSilence(ctx context.Context, s Silence) (Silence, error) {
	parsed, err := ParseMatchers(s.Matchers)
	if err != nil {
		return Silence{}, err
	}
	if !s.EndsAt.After(time.Now()) || !s.EndsAt.After(s.StartsAt) {
		return Silence{}, problem.New(problem.Invalid, "the silence would end before it begins to hold").
			WithField("endsAt").WithMend("give an end in the future")
	}
	p := &silencepb.Silence{
		Id: s.ID, StartsAt: timestamppb.New(s.StartsAt), EndsAt: timestamppb.New(s.EndsAt),
		CreatedBy: s.CreatedBy, Comment: s.Comment, Annotations: map[string]string{},
	}
	if s.StartsAt.IsZero() {
		p.StartsAt = nil
	}
	set := &silencepb.MatcherSet{}
	for _, one := range parsed {
		for kind, sign := range matcherSigns {
			if sign == one.Type {
				set.Matchers = append(set.Matchers, &silencepb.Matcher{Type: kind, Name: one.Name, Pattern: one.Value})
			}
		}
	}
	p.MatcherSets = []*silencepb.MatcherSet{set}
	err = m.change(func() error { return m.silences.Set(ctx, p) })
	if errors.Is(err, silence.ErrNotFound) {
		return Silence{}, problem.New(problem.NotFound, "there is no silence %q", s.ID)
	}
	if err != nil {
		return Silence{}, problem.New(problem.Invalid, "set silence: %w", err)
	}
	return fromProto(p), nil
}

// ExpireSilence ends a silence now; one that has ended already is fine.
func (m *Manager) ExpireSilence(ctx context.Context, id string) error {
	err := m.change(func() error { return m.silences.Expire(ctx, id) })
	if errors.Is(err, silence.ErrNotFound) {
		return problem.New(problem.NotFound, "there is no silence %q", id)
	}
	return err
}

// change does something to silences and fails too if that could not be stored.
func (m *Manager) change(do func() error) error {
	m.changes.Lock()
	defer m.changes.Unlock()
	_ = m.kept.taken() // of a notification before: it was logged, and would be sent once more after a crash
	if err := do(); err != nil {
		return err
	}
	if err := m.kept.taken(); err != nil {
		return problem.New(problem.Unavailable, "the silence could not be stored: %w", err).WithMend("try again")
	}
	return nil
}

// Covers tells which label sets matchers hold for.
func Covers(texts []string) (func(map[string]string) bool, error) {
	parsed, err := ParseMatchers(texts)
	if err != nil {
		return nil, err
	}
	return func(set map[string]string) bool { return parsed.Matches(labelSet(set)) }, nil
}
