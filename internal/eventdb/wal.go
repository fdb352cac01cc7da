package eventdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
)

// The write-ahead log is a row of segments, files of frames:
//
//	4 bytes  magic "d2w1"
//	4 bytes  CRC-32C of everything after it in the frame
//	4 bytes  length of the batch
//	8 bytes  ID of the batch's first event; the others follow
//	n bytes  the batch, see record.go
//
// Numbers are little-endian. A frame whose magic, length or checksum is wrong is
// passed over and the next one looked for: at the end of a segment it is a write
// that was cut off and never acknowledged, elsewhere it is damage, which is
// counted and told.
const (
	frameMagic  = "d2w1"
	frameHeader = 20
	maxBatch    = 256 << 20 // bytes of one batch
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// wal is the writing end. It is used by one goroutine at a time.
type wal struct {
	fs      files
	dir     string
	segment uint64
	f       file // nil: the segment must be begun
	size    int64
	dirty   bool // written since the last sync
	spoiled bool // the file ends in something that could not be cut off

	mu       sync.Mutex       // guards segments, which flushing shares
	segments map[uint64]int64 // bytes of each
}

func segmentName(n uint64) string { return fmt.Sprintf("%016d.wal", n) }

// begin starts a new segment with the given number.
func (w *wal) begin(n uint64) error {
	f, err := w.fs.Create(filepath.Join(w.dir, segmentName(n)))
	if err != nil {
		return err
	}
	if err := w.fs.SyncDir(w.dir); err != nil {
		return errors.Join(err, f.Close())
	}
	w.close()
	w.f, w.segment, w.size, w.dirty, w.spoiled = f, n, 0, false, false
	w.note(n, 0)
	return nil
}

func (w *wal) note(segment uint64, size int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.segments[segment] = size
}

func (w *wal) close() {
	if w.f != nil {
		w.f.Close()
		w.f = nil
	}
}

// appendFrame adds a frame around a batch.
func appendFrame(b []byte, firstID uint64, batch string) []byte {
	start := len(b)
	b = append(b, frameMagic...)
	b = append(b, 0, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(batch)))
	b = binary.LittleEndian.AppendUint64(b, firstID)
	b = append(b, batch...)
	binary.LittleEndian.PutUint32(b[start+4:], crc32.Checksum(b[start+8:], castagnoli))
	return b
}

// write appends frames, and makes them durable if sync. After an error they
// are cut off; where that fails too, the segment is left for a new one.
func (w *wal) write(frames []byte, sync bool) error {
	if w.f == nil || w.spoiled {
		if err := w.begin(w.segment + 1); err != nil {
			return err
		}
	}
	n, err := w.f.Write(frames)
	if err == nil && n < len(frames) {
		err = io.ErrShortWrite
	}
	if err == nil && sync {
		err = w.f.Sync()
	}
	if err == nil {
		w.size += int64(len(frames))
		w.note(w.segment, w.size)
		w.dirty = !sync
		return nil
	}
	if cut := w.f.Truncate(w.size); cut != nil {
		w.spoiled = true
		return errors.Join(err, cut)
	}
	return err
}

// sync makes everything durable that was written without.
func (w *wal) sync() error {
	if w.f == nil || !w.dirty {
		return nil
	}
	if err := w.f.Sync(); err != nil {
		w.spoiled = true // what the disk has is not known; go on in a new file
		return err
	}
	w.dirty = false
	return nil
}

// removeBelow deletes segments whose events are in parts.
func (w *wal) removeBelow(floor uint64) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var failed error
	for n := range w.segments {
		if n >= floor {
			continue
		}
		if err := ignoreMissing(w.fs.Remove(filepath.Join(w.dir, segmentName(n)))); err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		delete(w.segments, n)
	}
	return failed
}

// bytes is the size of all segments.
func (w *wal) bytes() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	var sum int64
	for _, n := range w.segments {
		sum += n
	}
	return sum
}

// listSegments are the numbers of the segments there are, rising.
func listSegments(fsys files, dir string) ([]uint64, error) {
	names, err := fsys.List(dir)
	if err != nil {
		return nil, err
	}
	var list []uint64
	for _, name := range names {
		digits, ok := strings.CutSuffix(name, ".wal")
		if n, err := strconv.ParseUint(digits, 10, 64); ok && err == nil {
			list = append(list, n)
		}
	}
	return list, nil
}

// frame is one batch of a segment.
type frame struct {
	firstID uint64
	batch   []byte
}

// readSegment calls yield with each good frame of a segment. It returns how many
// bytes of damage it passed over, and how many at the end it left as cut off.
func readSegment(fsys files, path string, yield func(frame) error) (damaged, torn int64, err error) {
	f, err := fsys.Open(path)
	if err != nil {
		return 0, 0, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return 0, 0, err
	}
	s := segmentReader{f: f, size: size}
	var lost int64 // since the last good frame
	for s.at < size {
		next, ok, err := s.frame()
		if err != nil {
			return damaged, 0, err
		}
		if !ok {
			lost++
			s.at++
			continue
		}
		damaged, lost = damaged+lost, 0
		if err := yield(next); err != nil {
			return damaged, 0, err
		}
	}
	return damaged, lost, nil
}

// segmentReader reads a segment through a window.
type segmentReader struct {
	f      file
	size   int64
	at     int64
	window []byte
	from   int64 // place of the window
}

// bytes are n bytes at s.at, nil if the segment ends before.
func (s *segmentReader) bytes(n int64) ([]byte, error) {
	if s.at+n > s.size {
		return nil, nil
	}
	if s.at < s.from || s.at+n > s.from+int64(len(s.window)) {
		want := min(max(n, 1<<20), s.size-s.at)
		if int64(cap(s.window)) < want {
			s.window = make([]byte, want)
		}
		s.window, s.from = s.window[:want], s.at
		if _, err := s.f.ReadAt(s.window, s.at); err != nil && !errors.Is(err, io.EOF) {
			s.window = s.window[:0]
			return nil, err
		}
	}
	return s.window[s.at-s.from:][:n], nil
}

func (s *segmentReader) frame() (frame, bool, error) {
	head, err := s.bytes(frameHeader)
	if err != nil || head == nil || string(head[:4]) != frameMagic {
		return frame{}, false, err
	}
	length := int64(binary.LittleEndian.Uint32(head[8:]))
	if length > maxBatch {
		return frame{}, false, nil
	}
	whole, err := s.bytes(frameHeader + length)
	if err != nil || whole == nil || crc32.Checksum(whole[8:], castagnoli) != binary.LittleEndian.Uint32(whole[4:]) {
		return frame{}, false, err
	}
	s.at += int64(len(whole))
	return frame{binary.LittleEndian.Uint64(whole[12:]), whole[frameHeader:]}, true, nil
}
