package eventdb

// Stats are sizes of the store.
type Stats struct {
	Events    int64 `json:"events"`
	InMemory  int64 `json:"inMemory"` // of these, in the log and in memory only
	Parts     int   `json:"parts"`
	PartBytes int64 `json:"partBytes"`
	LogBytes  int64 `json:"logBytes"`
	Damaged   int   `json:"damaged"` // parts in which damage was met
}

// Stats are the sizes now.
func (db *DB) Stats() Stats {
	db.mu.RLock()
	defer db.mu.RUnlock()
	s := Stats{InMemory: int64(db.head.rows), Parts: len(db.parts), LogBytes: db.commits.wal.bytes()}
	for _, h := range db.sealed {
		s.InMemory += int64(h.rows)
	}
	s.Events = s.InMemory
	for _, p := range db.parts {
		s.Events += p.Rows
		s.PartBytes += p.Size
		if p.broken != nil || p.bad.Load() > 0 {
			s.Damaged++
		}
	}
	return s
}
