package eventdb

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"path/filepath"
	"slices"
)

// manifest says which parts there are and where the log begins. It is replaced as
// a whole, in two copies, and what is not in it does not exist. Each copy is one
// line of JSON and one of its CRC-32C.
type manifest struct {
	Version  uint64     `json:"version"`
	Floor    uint64     `json:"floor"` // segments of the log below are in parts
	NextPart uint64     `json:"nextPart"`
	NextID   uint64     `json:"nextID,string"`
	Parts    []partInfo `json:"parts"`
}

var manifestNames = [2]string{"manifest", "manifest.copy"}

const maxManifest = 64 << 20

func (m *manifest) write(fsys files, dir string) error {
	line, err := json.Marshal(m)
	if err != nil {
		return err
	}
	line = append(line, '\n')
	line = fmt.Appendf(line, "%08x\n", crc32.Checksum(line, castagnoli))
	for _, name := range manifestNames {
		if err := writeWhole(fsys, filepath.Join(dir, name), line); err != nil {
			return err
		}
	}
	return nil
}

// readManifest reads the newer of the copies that are whole. Without any there is
// an empty one; damaged tells that a copy was not whole.
func readManifest(fsys files, dir string) (m manifest, damaged bool, err error) {
	m = manifest{NextPart: 1, NextID: 1}
	missing, found := 0, false
	var last error
	for _, name := range manifestNames {
		b, err := readWhole(fsys, filepath.Join(dir, name), maxManifest)
		if errors.Is(err, fs.ErrNotExist) {
			missing++
			continue
		}
		if err == nil {
			var one manifest
			if one, err = parseManifest(b); err == nil {
				if !found || one.Version > m.Version {
					m, found = one, true
				}
				continue
			}
		}
		damaged, last = true, err
	}
	if !found && missing < len(manifestNames) {
		return m, true, errDamaged("no copy of the list of parts can be read: %w", last)
	}
	return m, damaged, nil
}

func parseManifest(b []byte) (manifest, error) {
	var m manifest
	line, rest, ok := bytes.Cut(b, []byte("\n"))
	if !ok || string(rest) != fmt.Sprintf("%08x\n", crc32.Checksum(b[:len(line)+1], castagnoli)) {
		return m, errDamaged("a copy of the list of parts")
	}
	if err := json.Unmarshal(line, &m); err != nil {
		return m, errDamaged("a copy of the list of parts: %w", err)
	}
	return m, nil
}

// nextPart is the number of a part to be written.
func (db *DB) nextPart() uint64 {
	db.adopting.Lock()
	defer db.adopting.Unlock()
	n := db.manifest.NextPart
	db.manifest.NextPart++
	return n
}

// adopt changes the manifest, durably, and with it what queries see from now on.
// After an error the old one stays in force.
func (db *DB) adopt(change func(*manifest), added []partInfo, removed []*part, flushed *head) error {
	db.adopting.Lock()
	defer db.adopting.Unlock()
	m := db.manifest
	m.Version++
	m.Parts = slices.DeleteFunc(slices.Clone(m.Parts), func(i partInfo) bool {
		return slices.ContainsFunc(removed, func(p *part) bool { return p.ID == i.ID })
	})
	m.Parts = append(m.Parts, added...)
	if change != nil {
		change(&m)
	}
	if err := m.write(db.cfg.files, db.cfg.Dir); err != nil {
		// Which manifest a restart would find is not sure now. Both are right, as
		// long as the files of both are kept and this number is not used again.
		db.manifest.Version = m.Version
		for _, info := range added {
			db.orphans = append(db.orphans, filepath.Join(db.partsDir(), partName(info.ID)))
		}
		return err
	}
	for _, path := range db.orphans {
		db.remove(path)
	}
	db.orphans = nil
	opened := make([]*part, len(added))
	for i, info := range added {
		opened[i] = openPart(db.cfg.files, db.partsDir(), info)
	}
	db.manifest = m
	db.mu.Lock()
	db.parts = append(slices.DeleteFunc(slices.Clone(db.parts), func(p *part) bool { return slices.Contains(removed, p) }), opened...)
	if flushed != nil {
		db.sealed = slices.DeleteFunc(slices.Clone(db.sealed), func(h *head) bool { return h == flushed })
	}
	db.mu.Unlock()
	for _, p := range removed {
		db.remove(p.path)
		p.release()
	}
	return nil
}

// remove deletes a file that is not needed any more.
func (db *DB) remove(path string) {
	if err := ignoreMissing(db.cfg.files.Remove(path)); err != nil {
		db.cfg.Logger.Error("a file of events that is not needed any more cannot be removed", "file", path, "error", err)
	}
}

func joinAbort(err error, w *partWriter) error { return errors.Join(err, w.abort()) }
