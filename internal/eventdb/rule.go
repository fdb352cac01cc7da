package eventdb

import "github.com/daytwo-dev/daytwo/internal/event"

// verdict is what the index alone says of a filter on a block.
type verdict int

const (
	some verdict = iota
	none
	all
)

// rule tells what the index says, without reading columns.
func (f *filter) rule(b *block) (verdict, error) {
	switch f.op {
	case event.OpAll:
		return all, nil
	case event.OpNot:
		v, err := f.of[0].rule(b)
		return opposite(v), err
	case event.OpAnd:
		out := all
		for _, of := range f.of {
			v, err := of.rule(b)
			if err != nil || v == none {
				return none, err
			}
			if v == some {
				out = some
			}
		}
		return out, nil
	case event.OpOr:
		out := none
		for _, of := range f.of {
			v, err := of.rule(b)
			if err != nil || v == all {
				return all, err
			}
			if v == some {
				out = some
			}
		}
		return out, nil
	case event.OpSome:
		sure, open, err := f.ruleSome(b)
		return verdictOf(f.f.Least-sure, len(open)), err
	}
	if event.IsFieldPattern(f.f.Field) {
		return f.rulePattern(b)
	}
	return f.ruleField(b, f.f.Field)
}

func opposite(v verdict) verdict {
	switch v {
	case none:
		return all
	case all:
		return none
	}
	return some
}

// rulePattern rules out blocks of which no field can match.
func (f *filter) rulePattern(b *block) (verdict, error) {
	for _, name := range b.names() {
		if !event.MatchWildcard(f.f.Field, name) {
			continue
		}
		v, err := f.ruleField(b, name)
		if err != nil || v != none {
			return v, err
		}
	}
	return none, nil
}

func (f *filter) ruleField(b *block, field string) (verdict, error) {
	if field == event.TimeField {
		return f.ruleNumbers(event.Time(b.minTime), event.Time(b.maxTime), true), nil
	}
	if field == event.IDField {
		if b.meta != nil {
			return f.ruleNumbers(event.Int(b.meta.minID), event.Int(b.meta.maxID), true), nil
		}
		return some, nil
	}
	values, isLabel := b.label(field)
	if b.mem != nil {
		if !isLabel && len(b.made(field)) == 0 {
			return none, nil
		}
		return some, nil
	}
	metas := b.metas(field)
	if isLabel {
		v := f.ruleLabel(values)
		if len(metas) > 0 && v != all {
			return some, nil
		}
		return v, nil
	}
	if len(metas) == 0 {
		return none, nil
	}
	if f.op == event.OpExists {
		sum := 0
		for i := range metas {
			sum += metas[i].count
		}
		if sum == b.n {
			return all, nil
		}
		return some, nil
	}
	out := none
	for i := range metas {
		v, err := f.ruleMeta(b, &metas[i])
		if err != nil {
			return some, err
		}
		switch {
		case v == all && metas[i].count == b.n:
			return all, nil
		case v != none:
			out = some
		}
	}
	return out, nil
}

func (f *filter) ruleLabel(values []event.Value) verdict {
	yes := 0
	for _, v := range values {
		if f.leaf.Match(v) {
			yes++
		}
	}
	switch yes {
	case 0:
		return none
	case len(values):
		return all
	}
	return some
}

func (f *filter) ruleMeta(b *block, m *meta) (verdict, error) {
	if f.needle.text == "" && (m.shape == shapeInts && m.typ != event.TypeBool || m.shape == shapeFloats) {
		low, high := m.numberBounds()
		return f.ruleNumbers(low, high, m.shape == shapeInts), nil
	}
	if f.needle.cannotBe(m) {
		return none, nil
	}
	if m.blocks > 0 {
		for _, h := range f.words {
			may, err := b.part.mayHave(m, h, &f.block)
			if err != nil || !may {
				return none, err
			}
		}
	}
	return some, nil
}

// ruleNumbers tells of a filter on numbers from low to high, ends included. Whole
// tells that they are not NaN.
func (f *filter) ruleNumbers(low, high event.Value, whole bool) verdict {
	switch f.op {
	case event.OpRange:
		if f.f.Min != nil {
			bound := event.NumberKey(*f.f.Min)
			if bound.IsNull() || f.f.Above && high.Compare(bound) <= 0 || high.Compare(bound) < 0 {
				return none
			}
		}
		if f.f.Max != nil {
			bound := event.NumberKey(*f.f.Max)
			if bound.IsNull() || f.f.Below && low.Compare(bound) >= 0 || low.Compare(bound) > 0 {
				return none
			}
		}
		if whole && f.leaf.Match(low) && f.leaf.Match(high) {
			return all
		}
	case event.OpEquals, event.OpIn:
		if f.f.Fold {
			return some
		}
		for k := range f.leaf.Keys() {
			if k.Type() != event.TypeString && k.Compare(low) >= 0 && k.Compare(high) <= 0 {
				return some
			}
			if k.Type() == event.TypeFloat && !whole {
				return some // NaN may be equal to NaN
			}
		}
		return none
	}
	return some
}
