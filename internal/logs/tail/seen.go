package tail

import (
	"bytes"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// printSize is how many bytes tell whether a file is still the one that was read.
const printSize = 256

// Print is what is kept on disk with a position, to tell a file that was read on
// from one whose content was put in its place under the same number: checksums
// (CRC-32, IEEE) of its first bytes and of those before the position. The zero
// Print, as old positions have it, fits every file.
type Print struct {
	Head   uint32 `json:"head"`
	Length int    `json:"length"` // bytes of the head
	Last   uint32 `json:"last,omitempty"`
	Before int    `json:"before,omitempty"` // bytes before the position that Last is of
}

// Seen is how far a file was read, with its first bytes and those before the
// position. It is copied by assignment. The zero Seen is a file of which nothing
// was read.
type Seen struct {
	offset      int64
	first, last [printSize]byte
	head, tail  int
}

// Resume is a file that was read up to offset, and whether it still is that file
// as far as p can tell; if not, Seen is its beginning.
func Resume(r io.ReaderAt, offset int64, p Print) (Seen, bool) {
	s := Seen{offset: offset, head: int(min(printSize, offset)), tail: int(min(printSize, offset))}
	if !whole(r, s.first[:s.head], 0) || !whole(r, s.last[:s.tail], offset-int64(s.tail)) {
		return Seen{}, false
	}
	if p.Length < 0 || p.Before < 0 || p.Length > s.head || p.Before > s.tail ||
		crc32.ChecksumIEEE(s.first[:p.Length]) != p.Head || crc32.ChecksumIEEE(s.last[s.tail-p.Before:s.tail]) != p.Last {
		return Seen{}, false
	}
	return s, true
}

func whole(r io.ReaderAt, b []byte, at int64) bool {
	n, _ := r.ReadAt(b, at)
	return n == len(b)
}

// Offset is the position in bytes.
func (s *Seen) Offset() int64 { return s.offset }

// Add moves the position behind b, which was read there.
func (s *Seen) Add(b []byte) {
	s.offset += int64(len(b))
	s.head += copy(s.first[s.head:], b)
	if len(b) >= printSize {
		s.tail = copy(s.last[:], b[len(b)-printSize:])
		return
	}
	if over := s.tail + len(b) - printSize; over > 0 {
		s.tail = copy(s.last[:], s.last[over:s.tail])
	}
	s.tail += copy(s.last[s.tail:], b)
}

// Print is what to keep on disk.
func (s *Seen) Print() Print {
	return Print{crc32.ChecksumIEEE(s.first[:s.head]), s.head, crc32.ChecksumIEEE(s.last[:s.tail]), s.tail}
}

// Still tells whether what was read still stands in the file. It does not after
// copytruncate of logrotate, also when the file has grown over the position again.
func (s *Seen) Still(r io.ReaderAt) bool {
	var b [printSize]byte
	return whole(r, b[:s.head], 0) && bytes.Equal(b[:s.head], s.first[:s.head]) &&
		whole(r, b[:s.tail], s.offset-int64(s.tail)) && bytes.Equal(b[:s.tail], s.last[:s.tail])
}

// Renamed finds a file that was at path under its new name in the same
// directory, by what identity gives of it: programs that rotate files rename
// them there. Empty: it is not there.
func Renamed(path string, same func(os.FileInfo) bool) string {
	entries, _ := os.ReadDir(filepath.Dir(path)) // a directory that cannot be read has no such file
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		if info, err := e.Info(); err == nil && same(info) {
			return filepath.Join(filepath.Dir(path), e.Name())
		}
	}
	return ""
}
