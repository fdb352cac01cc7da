package eventdb

import "context"

// MergeAll makes one part of all there are.
func MergeAll(ctx context.Context, db *DB) error {
	db.upkeep.Lock()
	defer db.upkeep.Unlock()
	return db.replace(ctx, db.currentParts(), 1, nil, nil)
}
