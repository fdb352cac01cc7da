package eventdb

import (
	"cmp"
	"context"
	"errors"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Merging: so many parts of a level become one of the next.
const (
	mergeParts   = 12
	maxPartRows  = 8 << 20
	upkeepEvery  = time.Second
	retainEvery  = 30 * time.Second
	lazyFraction = 4 // a part is rewritten when a quarter of it has expired
)

func (db *DB) partsDir() string { return filepath.Join(db.cfg.Dir, "parts") }

func (p *part) block(i int) *block {
	m := &p.pages[i]
	return &block{n: m.rows, minTime: m.minTime, maxTime: m.maxTime, sorted: m.sorted, part: p, meta: m}
}

// Run keeps the store in order until ctx ends: it writes parts, merges them,
// removes what has expired and, with SyncInterval, makes writes durable. Merging
// goes on beside the rest and leaves queries and writers room, see pacer.
func (db *DB) Run(ctx context.Context) error {
	var group sync.WaitGroup
	defer group.Wait()
	var stuck atomic.Bool // parts cannot be written
	group.Go(func() {
		db.every(ctx, upkeepEvery, "merge parts of events", func() error {
			if stuck.Load() { // what is left of the disk is for parts and the log
				return nil
			}
			return db.compact(ctx, true)
		})
	})
	group.Go(func() {
		db.every(ctx, retainEvery, "remove expired events", func() error { return db.Retain(ctx, time.Now()) })
	})
	group.Go(func() {
		db.every(ctx, db.cfg.SyncEvery, "make events durable", db.commits.sync)
	})
	again := time.NewTicker(upkeepEvery) // after a failure
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-db.full:
		case <-again.C:
		}
		err := db.flushSealed()
		stuck.Store(err != nil)
		if err != nil {
			db.upkeepFailed(ctx, "write a part of events", err)
		}
	}
}

// every does something again and again until ctx ends.
func (db *DB) every(ctx context.Context, interval time.Duration, what string, do func() error) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := do(); err != nil {
			db.upkeepFailed(ctx, what, err)
		}
	}
}

func (db *DB) upkeepFailed(ctx context.Context, what string, err error) {
	if ctx.Err() == nil && !db.isClosed() {
		db.cfg.Logger.ErrorContext(ctx, "upkeep of events failed, it is tried again", "what", what, "error", err)
	}
}

// Compact merges small parts, one merge at a time and as fast as it can, until
// none is due. Damaged parts stay as they are.
func (db *DB) Compact(ctx context.Context) error { return db.compact(ctx, false) }

// compact merges until nothing is due; gently if paced.
func (db *DB) compact(ctx context.Context, paced bool) error {
	for {
		done, err := db.compactOnce(ctx, paced)
		if err != nil || done {
			return err
		}
	}
}

func (db *DB) compactOnce(ctx context.Context, paced bool) (done bool, err error) {
	db.upkeep.Lock()
	defer db.upkeep.Unlock()
	parts, waiting := db.dueForMerge()
	if len(parts) == 0 {
		return true, nil
	}
	var p *pacer
	if paced && waiting <= mergeBehind*mergeParts {
		p = newPacer(&db.awaited)
	}
	return false, db.replace(ctx, parts, parts[0].Level+1, nil, p)
}

// takeUpkeep locks upkeep; a merge that goes on meanwhile comes to its end without
// resting.
func (db *DB) takeUpkeep() {
	db.awaited.Add(1)
	defer db.awaited.Add(-1)
	db.upkeep.Lock()
}

// dueForMerge picks the oldest parts of the lowest level that has enough; waiting
// is how many that level has.
func (db *DB) dueForMerge() (parts []*part, waiting int) {
	db.mu.RLock()
	defer db.mu.RUnlock()
	byLevel := map[int][]*part{}
	for _, p := range db.parts {
		if p.broken == nil && p.bad.Load() == 0 && p.Rows < maxPartRows/2 {
			byLevel[p.Level] = append(byLevel[p.Level], p)
		}
	}
	for level := range 8 {
		if list := byLevel[level]; len(list) >= mergeParts {
			slices.SortFunc(list, func(a, b *part) int { return cmp.Compare(a.ID, b.ID) })
			rows := int64(0)
			for i, p := range list[:mergeParts] {
				if rows += p.Rows; rows > maxPartRows {
					return list[:i], len(list)
				}
			}
			return list[:mergeParts], len(list)
		}
	}
	return nil, 0
}

// replace rewrites parts into one.
func (db *DB) replace(ctx context.Context, parts []*part, level int, drop func(*looking) (bitset, error), pacer *pacer) error {
	info, dropped, err := db.rewrite(ctx, parts, level, drop, pacer)
	if err != nil {
		return err
	}
	var added []partInfo
	if info.Rows > 0 {
		added = []partInfo{info}
	}
	db.metrics.removed.Add(float64(dropped))
	return db.adopt(nil, added, parts, nil)
}

// Delete removes the events of a time range that match a filter, from the disk
// too, and returns how many. Events appended while it runs may stay.
func (db *DB) Delete(ctx context.Context, within event.Range, filter event.Filter) (int64, error) {
	f, err := newFilter(filter)
	if err == nil {
		err = filter.Validate()
	}
	if err != nil {
		return 0, err
	}
	if err := db.Flush(); err != nil {
		return 0, err
	}
	first, last, ok := within.Bounds()
	if !ok {
		return 0, nil
	}
	db.takeUpkeep()
	defer db.upkeep.Unlock()
	return db.deleteParts(ctx, f, first, last, 0)
}

// deleteParts removes matching events from the parts of which more than one in
// lazy would go; with lazy 0 from all.
func (db *DB) deleteParts(ctx context.Context, f *filter, first, last int64, lazy int64) (int64, error) {
	drop := func(l *looking) (bitset, error) {
		if l.maxTime < first || l.minTime > last {
			return nil, nil
		}
		v, err := f.rule(l.block)
		if err != nil || v == none {
			return nil, err
		}
		b, err := f.bits(l)
		if err != nil {
			return nil, err
		}
		within, err := l.timeBits(first, last)
		if err == nil && within != nil {
			b.and(within)
		}
		return b, err
	}
	sum := int64(0)
	var failed error
	for _, p := range db.currentParts() {
		if p.MaxTime < first || p.MinTime > last {
			continue
		}
		if p.broken != nil {
			// What cannot be read can still be let go of as a whole.
			if f.op == event.OpAll && p.MinTime >= first && p.MaxTime <= last {
				failed = errors.Join(failed, db.adopt(nil, nil, []*part{p}, nil))
			}
			continue
		}
		n, err := countDropped(ctx, p, drop)
		if err == nil && n > 0 && n*lazy >= p.Rows*min(lazy, 1) {
			err = db.replace(ctx, []*part{p}, p.Level, drop, nil)
			sum += n
		}
		if err != nil {
			failed = errors.Join(failed, err)
		}
	}
	if failed != nil {
		return sum, problem.New(problem.Unavailable, "not all events could be removed: %w", failed)
	}
	return sum, nil
}

func countDropped(ctx context.Context, p *part, drop func(*looking) (bitset, error)) (int64, error) {
	n := int64(0)
	var cost event.Cost
	for i := range p.pages {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		b, err := drop(&looking{block: p.block(i), cost: &cost})
		if err != nil {
			return 0, err
		}
		if b != nil {
			n += int64(b.count())
		}
	}
	return n, nil
}

func (db *DB) currentParts() []*part {
	db.mu.RLock()
	defer db.mu.RUnlock()
	return slices.Clone(db.parts)
}

// Retain removes what the rules of retention do not keep at a time. A part is
// rewritten only once a quarter of it has expired.
func (db *DB) Retain(ctx context.Context, now time.Time) error {
	db.takeUpkeep()
	defer db.upkeep.Unlock()
	var failed error
	for _, r := range db.cfg.Retention {
		f, err := newFilter(r.Streams)
		if err != nil {
			return err
		}
		before := int64(-1 << 63)
		if r.Age > 0 {
			before = now.Add(-r.Age).UnixNano()
		}
		if r.Bytes > 0 {
			before = max(before, db.sizeCutoff(f, r.Bytes))
		}
		if before == -1<<63 {
			continue
		}
		if _, err := db.deleteParts(ctx, f, -1<<63, before-1, lazyFraction); err != nil {
			failed = errors.Join(failed, err)
		}
	}
	return failed
}

// sizeCutoff is the time before which events of a rule must go for the rest to
// take no more than so many bytes. Pages are counted whole.
func (db *DB) sizeCutoff(f *filter, limit int64) int64 {
	type share struct{ maxTime, bytes int64 }
	var list []share
	for _, p := range db.currentParts() {
		for i := range p.pages {
			b := p.block(i)
			if v, err := f.rule(b); err == nil && v != none {
				list = append(list, share{b.maxTime, p.Size * int64(b.n) / p.Rows})
			}
		}
	}
	slices.SortFunc(list, func(a, b share) int { return cmp.Compare(b.maxTime, a.maxTime) })
	sum := int64(0)
	for _, s := range list {
		if sum += s.bytes; sum > limit {
			return s.maxTime + 1
		}
	}
	return -1 << 63
}

// Snapshot makes a copy of everything appended before the call in an empty
// directory on the same file system: a store that can be opened. Appending goes
// on.
func (db *DB) Snapshot(dir string) error {
	if err := db.Flush(); err != nil {
		return err
	}
	db.adopting.Lock() // no part comes or goes
	defer db.adopting.Unlock()
	fsys := db.cfg.files
	if err := errors.Join(fsys.MakeDir(filepath.Join(dir, "parts")), fsys.MakeDir(filepath.Join(dir, "wal"))); err != nil {
		return problem.New(problem.Unavailable, "make the snapshot: %w", err)
	}
	for _, info := range db.manifest.Parts {
		name := partName(info.ID)
		if err := fsys.Link(filepath.Join(db.partsDir(), name), filepath.Join(dir, "parts", name)); err != nil {
			return problem.New(problem.Unavailable, "make the snapshot: %w", err).WithMend("give an empty directory on the file system of the data directory")
		}
	}
	m := db.manifest
	if err := errors.Join(fsys.SyncDir(filepath.Join(dir, "parts")), m.write(fsys, dir)); err != nil {
		return problem.New(problem.Unavailable, "make the snapshot: %w", err)
	}
	return nil
}

// noteBad counts and tells that a part is damaged, the first time.
func (db *DB) noteBad(p *part, err error) {
	db.metrics.damaged.Inc()
	if p.bad.Add(1) == 1 {
		db.cfg.Logger.Error("a block of events is damaged; it is left out of answers and of merging, the rest answers", "file", p.path, "error", err)
	}
}
