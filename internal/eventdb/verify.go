package eventdb

import (
	"fmt"
)

// Verify reads everything that is stored and says what is damaged; nothing means
// that every byte is as it was written.
func (db *DB) Verify() []string {
	var found []string
	for _, p := range db.currentParts() {
		found = append(found, p.verify()...)
	}
	return found
}

// verify checks every byte of a part.
func (p *part) verify() []string {
	var found []string
	if p.broken != nil {
		return []string{p.broken.Error()}
	}
	for _, at := range []int64{p.Size - trailerSize - p.Index, p.Size - 2*(trailerSize+p.Index)} {
		if _, err := p.readIndex(at); err != nil {
			found = append(found, err.Error())
		}
	}
	magic := make([]byte, len(partMagic))
	if _, err := p.f.ReadAt(magic, 0); err != nil || string(magic) != partMagic && string(magic) != oldMagic {
		found = append(found, fmt.Sprintf("part %d: its first bytes", p.ID))
	}
	check := func(m *meta) {
		if _, err := p.section(m, nil); err != nil {
			found = append(found, err.Error())
		}
		for i := range int64(m.blocks) {
			var block [bloomBlock]byte
			_, err := p.f.ReadAt(block[:], int64(m.bloom)+i*bloomBlock)
			if _, ok := bloomMay(block[:], 1); err != nil || !ok {
				found = append(found, fmt.Sprintf("part %d: the index of words of %q", p.ID, m.name))
			}
		}
	}
	for i := range p.pages {
		for m := range p.pages[i].sections {
			check(m)
		}
	}
	return found
}
