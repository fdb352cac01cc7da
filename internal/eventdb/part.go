package eventdb

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path/filepath"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// A part is a file of pages that never changes:
//
//	8 bytes   magic "d2part2\n"; "d2part1\n" if there are no chunks (codecChunks)
//	sections  columns and blooms of the pages, back to back
//	index     where everything is: names, streams, pages; see appendIndex
//	trailer   8 bytes magic "d2index\n", 4 bytes CRC-32C of the index,
//	          8 bytes length of the index, 4 bytes CRC-32C of the 20 before
//	index, trailer  once more
//
// Every section has its CRC-32C in the index. The manifest knows the size of the
// file and of the index, so that either copy of the index can be found.
const (
	partMagic   = "d2part2\n"
	oldMagic    = "d2part1\n"
	indexMagic  = "d2index\n"
	trailerSize = 24
	maxIndex    = 1 << 30
)

// part is an open part.
type part struct {
	partInfo
	path   string
	f      file
	pages  []pageMeta
	broken error        // the index cannot be read: nothing of it can
	refs   atomic.Int64 // the store's own and one for each query
	bad    atomic.Int64 // damaged pages met
}

// partInfo is what the manifest says of a part.
type partInfo struct {
	ID      uint64 `json:"id"`
	Size    int64  `json:"size"`
	Index   int64  `json:"index"`
	Rows    int64  `json:"rows"`
	MinTime int64  `json:"minTime,string"`
	MaxTime int64  `json:"maxTime,string"`
	Level   int    `json:"level"` // how often its events were merged
}

// pageMeta describes a stored page.
type pageMeta struct {
	rows             int
	minTime, maxTime int64
	minID, maxID     int64
	streams          []event.Stream
	times, ids       meta
	codes            meta // of streams, if there are several
	columns          []meta
	sorted           bool // times rise
}

func partName(id uint64) string { return fmt.Sprintf("%016d.part", id) }

// partWriter writes a part.
type partWriter struct {
	fs     files
	path   string
	f      file
	at     uint64
	buf    []byte
	body   []byte
	chunks []byte
	words  wordSet
	pages  []pageMeta
	info   partInfo
	z      *zstds
}

func createPart(fsys files, dir string, id uint64, level int) (*partWriter, error) {
	z, err := newZstds()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, partName(id))
	f, err := fsys.Create(path)
	if err != nil {
		return nil, err
	}
	w := &partWriter{fs: fsys, path: path, f: f, info: partInfo{ID: id, Level: level}, z: z}
	w.buf = append(w.buf, partMagic...)
	return w, nil
}

// add writes a page.
func (w *partWriter) add(p *page) error {
	n := len(p.times)
	m := pageMeta{rows: n, streams: p.streams, sorted: true}
	m.minTime, m.maxTime = p.times[0], p.times[0]
	m.minID, m.maxID = p.ids[0], p.ids[0]
	for i := range p.times {
		m.minTime, m.maxTime = min(m.minTime, p.times[i]), max(m.maxTime, p.times[i])
		m.minID, m.maxID = min(m.minID, p.ids[i]), max(m.maxID, p.ids[i])
		m.sorted = m.sorted && (i == 0 || p.times[i] >= p.times[i-1])
	}
	w.body = appendDeltas(w.body[:0], p.times)
	w.section(&m.times, false)
	w.body = appendDeltas(w.body[:0], p.ids)
	w.section(&m.ids, false)
	if p.streamCodes != nil {
		codes := make([]int64, n)
		for i, c := range p.streamCodes {
			codes[i] = int64(c)
		}
		w.body = appendInts(w.body[:0], codes)
		w.section(&m.codes, true)
	}
	for _, c := range p.columns {
		runtime.Gosched() // queries go first
		cm := meta{name: c.name, typ: c.typ, shape: c.shape, count: c.presentCount()}
		c.bounds(&cm)
		w.body = appendBody(w.body[:0], c)
		if c.shape == shapeTexts && len(c.data) > 128 {
			w.chunked(&cm, len(w.body)-len(c.data))
		} else {
			w.section(&cm, c.shape == shapeTexts || c.shape == shapeDict || c.shape == shapeFloats)
		}
		if c.typ >= event.TypeString && (c.shape != shapeDict || len(c.dict) > 8) {
			w.bloom(&cm, c)
		}
		m.columns = append(m.columns, cm)
	}
	return w.note(m)
}

// note puts a page whose bytes are in w.buf into the index.
func (w *partWriter) note(m pageMeta) error {
	if len(w.pages) == 0 {
		w.info.MinTime, w.info.MaxTime = m.minTime, m.maxTime
	}
	w.info.MinTime, w.info.MaxTime = min(w.info.MinTime, m.minTime), max(w.info.MaxTime, m.maxTime)
	w.info.Rows += int64(m.rows)
	w.pages = append(w.pages, m)
	return w.flush(1 << 20)
}

// addStored writes a page of another part, see part.stored; m is its own then.
func (w *partWriter) addStored(m pageMeta, stored []byte) error {
	at := w.at + uint64(len(w.buf))
	for s := range m.sections {
		s.offset += at
	}
	for i := range m.columns {
		m.columns[i].bloom += at
	}
	w.buf = append(w.buf, stored...)
	return w.note(m)
}

// sections ranges over the sections of a page.
func (m *pageMeta) sections(yield func(*meta) bool) {
	if !yield(&m.times) || !yield(&m.ids) || len(m.streams) > 1 && !yield(&m.codes) {
		return
	}
	for i := range m.columns {
		if !yield(&m.columns[i]) {
			return
		}
	}
}

// large tells that a page would hardly become better by merging.
func (m *pageMeta) large() bool {
	if m.rows/len(m.streams) < minStreamPage {
		return false
	}
	raw := 0
	for i := range m.columns {
		raw += int(m.columns[i].raw)
	}
	return m.rows >= pageRows/2 || raw >= pageBytes/2
}

// section adds w.body.
func (w *partWriter) section(m *meta, compress bool) {
	start := len(w.buf)
	if compress && len(w.body) > 128 {
		w.buf = w.z.enc.EncodeAll(w.body, w.buf)
		m.codec = codecZstd
	}
	w.stored(m, start)
}

// stored describes w.body as it lies in w.buf from start on; where nothing was
// compressed, or not much, it puts it there as it is.
func (w *partWriter) stored(m *meta, start int) {
	if m.codec == codecNone || len(w.buf)-start > len(w.body)*9/10 {
		m.codec, w.buf = codecNone, append(w.buf[:start], w.body...)
	}
	m.offset, m.raw, m.size = w.at+uint64(start), uint32(len(w.body)), uint32(len(w.buf)-start)
	m.sum = crc32.Checksum(w.buf[start:], castagnoli)
}

func (w *partWriter) bloom(m *meta, c *column) {
	w.words.reset(c.n)
	w.words.addColumn(c)
	start := len(w.buf)
	m.bloom = w.at + uint64(start)
	w.buf = w.words.appendBloom(w.buf)
	m.blocks = uint32((len(w.buf) - start) / bloomBlock)
}

func (w *partWriter) flush(above int) error {
	if len(w.buf) < above {
		return nil
	}
	n, err := w.f.Write(w.buf)
	if err == nil && n < len(w.buf) {
		err = io.ErrShortWrite
	}
	w.at += uint64(len(w.buf))
	w.buf = w.buf[:0]
	return err
}

// finish makes the part durable.
func (w *partWriter) finish() (partInfo, error) {
	index := appendIndex(nil, w.pages)
	w.info.Index = int64(len(index))
	for range 2 {
		w.buf = append(w.buf, index...)
		start := len(w.buf)
		w.buf = append(w.buf, indexMagic...)
		w.buf = binary.LittleEndian.AppendUint32(w.buf, crc32.Checksum(index, castagnoli))
		w.buf = binary.LittleEndian.AppendUint64(w.buf, uint64(len(index)))
		w.buf = binary.LittleEndian.AppendUint32(w.buf, crc32.Checksum(w.buf[start:], castagnoli))
	}
	if err := w.flush(0); err != nil {
		return partInfo{}, errors.Join(err, w.abort())
	}
	w.info.Size = int64(w.at)
	if err := w.f.Sync(); err != nil {
		return partInfo{}, errors.Join(err, w.abort())
	}
	if err := w.f.Close(); err != nil {
		return partInfo{}, errors.Join(err, w.fs.Remove(w.path))
	}
	return w.info, w.fs.SyncDir(filepath.Dir(w.path))
}

// abort takes the file away.
func (w *partWriter) abort() error {
	return errors.Join(w.f.Close(), ignoreMissing(w.fs.Remove(w.path)))
}

// openPart opens a part. Damage of its index makes it broken, which is no error:
// the others go on.
func openPart(fsys files, dir string, info partInfo) *part {
	p := &part{partInfo: info, path: filepath.Join(dir, partName(info.ID))}
	p.refs.Store(1)
	f, err := fsys.Open(p.path)
	if err != nil {
		p.broken = err
		return p
	}
	p.f = f
	second, err := p.readIndex(info.Size - trailerSize - info.Index)
	if err != nil {
		if second, err = p.readIndex(info.Size - 2*(trailerSize+info.Index)); err == nil {
			p.bad.Add(1) // one copy is damaged; all events are there
		}
	}
	p.pages, p.broken = second, err
	return p
}

func (p *part) readIndex(at int64) ([]pageMeta, error) {
	if p.Index < 0 || p.Index > maxIndex || at < int64(len(partMagic)) {
		return nil, errDamaged("the manifest has sizes of part %d that cannot be", p.ID)
	}
	b := make([]byte, p.Index+trailerSize)
	if _, err := p.f.ReadAt(b, at); err != nil {
		return nil, errDamaged("part %d: %w", p.ID, err)
	}
	index, trailer := b[:p.Index], b[p.Index:]
	if string(trailer[:8]) != indexMagic || crc32.Checksum(trailer[:20], castagnoli) != binary.LittleEndian.Uint32(trailer[20:]) ||
		binary.LittleEndian.Uint64(trailer[12:]) != uint64(p.Index) || crc32.Checksum(index, castagnoli) != binary.LittleEndian.Uint32(trailer[8:]) {
		return nil, errDamaged("the index of part %d", p.ID)
	}
	return readIndex(index, uint64(p.Size))
}

// acquire keeps the file open until release.
func (p *part) acquire() { p.refs.Add(1) }

func (p *part) release() {
	if p.refs.Add(-1) == 0 && p.f != nil {
		p.f.Close()
	}
}

// read reads and checks the stored bytes of a section into memory that buf lends.
func (p *part) read(m *meta, buf *buffers) ([]byte, error) {
	b := buf.getBytes(int(m.size))
	if _, err := p.f.ReadAt(b, int64(m.offset)); err != nil {
		return nil, errDamaged("part %d at %d: %w", p.ID, m.offset, err)
	}
	if crc32.Checksum(b, castagnoli) != m.sum {
		return nil, errDamaged("part %d at %d: the checksum of %d bytes", p.ID, m.offset, m.size)
	}
	return b, nil
}

// section reads the body of a section into memory that buf lends.
func (p *part) section(m *meta, buf *buffers) ([]byte, error) {
	b, err := p.read(m, buf)
	if err != nil || m.codec == codecNone {
		return b, err
	}
	z, err := newZstds()
	if err != nil {
		return nil, err
	}
	out := buf.getBytes(int(m.raw))[:0]
	ok := true
	if m.codec == codecChunks {
		var c chunks
		if c, ok = readChunks(b, int(m.raw)); ok {
			out, ok = c.body(z, out)
		}
	} else {
		out, err = z.dec.DecodeAll(b, out)
	}
	if !ok || err != nil || len(out) != int(m.raw) {
		return nil, errDamaged("part %d at %d: %d bytes compressed", p.ID, m.offset, m.size)
	}
	return out, nil
}

// stored are the bytes of a page as they lie in the file, checked, and its
// description with offsets in them.
func (p *part) stored(i int) (pageMeta, []byte, error) {
	m := p.pages[i]
	m.columns = slices.Clone(m.columns)
	var out []byte
	take := func(offset *uint64, size int) ([]byte, error) {
		start := len(out)
		out = append(out, make([]byte, size)...)
		if _, err := p.f.ReadAt(out[start:], int64(*offset)); err != nil {
			return nil, errDamaged("part %d at %d: %w", p.ID, *offset, err)
		}
		*offset = uint64(start)
		return out[start:], nil
	}
	for s := range m.sections {
		at := s.offset
		b, err := take(&s.offset, int(s.size))
		if err != nil {
			return m, nil, err
		}
		if crc32.Checksum(b, castagnoli) != s.sum {
			return m, nil, errDamaged("part %d at %d: the checksum of %d bytes", p.ID, at, s.size)
		}
		if s.blocks == 0 {
			continue
		}
		at = s.bloom
		if b, err = take(&s.bloom, int(s.blocks)*bloomBlock); err != nil {
			return m, nil, err
		}
		for ; len(b) > 0; b = b[bloomBlock:] {
			if _, ok := bloomMay(b[:bloomBlock], 1); !ok {
				return m, nil, errDamaged("part %d at %d: the checksum of an index of words", p.ID, at)
			}
		}
	}
	return m, out, nil
}

// mayHave asks a bloom for the hash of a word; block is memory to read into.
func (p *part) mayHave(m *meta, h uint64, block *[bloomBlock]byte) (bool, error) {
	at := int64(m.bloom) + int64(bloomPlace(max(h, 1), int(m.blocks)))
	if _, err := p.f.ReadAt(block[:], at); err != nil {
		return true, errDamaged("part %d at %d: %w", p.ID, at, err)
	}
	may, ok := bloomMay(block[:], h)
	if !ok {
		return true, errDamaged("part %d at %d: the checksum of an index of words", p.ID, at)
	}
	return may, nil
}
