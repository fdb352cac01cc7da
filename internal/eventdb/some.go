package eventdb

// A filter that at least so many of its operands have to hold is answered by
// counting, row by row, how many do.

// ruleSome tells how many operands the index says hold for every row, and which it
// leaves open.
func (f *filter) ruleSome(b *block) (sure int, open []*filter, err error) {
	for _, of := range f.of {
		v, err := of.rule(b)
		if err != nil {
			return 0, nil, err
		}
		switch v {
		case all:
			sure++
		case some:
			open = append(open, of)
		}
	}
	return sure, open, nil
}

// verdictOf is what the index says if so many more operands have to hold, of those
// that it leaves open.
func verdictOf(missing, open int) verdict {
	switch {
	case missing <= 0:
		return all
	case missing > open:
		return none
	}
	return some
}

// bitsOfSome sets the rows of out, which is empty, for which enough operands hold.
func (f *filter) bitsOfSome(l *looking, out bitset) (bitset, error) {
	sure, open, err := f.ruleSome(l.block)
	if err != nil {
		return nil, err
	}
	missing := f.f.Least - sure
	switch verdictOf(missing, len(open)) {
	case none:
		return out, nil
	case all:
		out.fill(l.n)
		return out, nil
	}
	var rows []int32
	counts := make([]uint16, l.n) // a filter has less operands than that, see event.Filter.Validate
	most := 0
	for i, of := range open {
		if most+len(open)-i < missing { // no row can come to it any more
			return out, nil
		}
		b, err := of.bits(l)
		if err != nil {
			return nil, err
		}
		rows = b.rows(rows[:0])
		for _, row := range rows {
			if counts[row]++; int(counts[row]) == missing {
				out.set(int(row))
			}
			most = max(most, int(counts[row]))
		}
	}
	return out, nil
}
