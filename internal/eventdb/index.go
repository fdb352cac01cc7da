package eventdb

import (
	"encoding/binary"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// The index of a part: numbers are uvarints unless said otherwise.
//
//	names of columns: number, each a text
//	streams: number, each the text of event.Stream.Key
//	pages: number, each
//	  rows, byte whether its times rise,
//	  varint first and last time, varint smallest and largest ID,
//	  streams: number, each its place in the list
//	  sections: times, ids, and, with several streams, their codes
//	  columns: number, each: place of its name, byte type, byte shape, number
//	    of rows with a value, section, blocks of the bloom and, if there are any,
//	    its offset, and of numbers the smallest and largest (8 bytes each)
//
// A section is its offset, size, byte codec, decompressed size, 4 bytes CRC-32C.
func appendIndex(b []byte, pages []pageMeta) []byte {
	names, streams := newNumbering(), newNumbering()
	for i := range pages {
		for _, s := range pages[i].streams {
			streams.number(s.Key())
		}
		for j := range pages[i].columns {
			names.number(pages[i].columns[j].name)
		}
	}
	b = names.appendTo(b)
	b = streams.appendTo(b)
	b = binary.AppendUvarint(b, uint64(len(pages)))
	for i := range pages {
		b = appendPageMeta(b, &pages[i], names, streams)
	}
	return b
}

func appendPageMeta(b []byte, p *pageMeta, names, streams *numbering) []byte {
	b = binary.AppendUvarint(b, uint64(p.rows))
	sorted := byte(0)
	if p.sorted {
		sorted = 1
	}
	b = append(b, sorted)
	for _, x := range []int64{p.minTime, p.maxTime, p.minID, p.maxID} {
		b = binary.AppendVarint(b, x)
	}
	b = binary.AppendUvarint(b, uint64(len(p.streams)))
	for _, s := range p.streams {
		b = binary.AppendUvarint(b, streams.number(s.Key()))
	}
	b = appendSectionMeta(b, &p.times)
	b = appendSectionMeta(b, &p.ids)
	if len(p.streams) > 1 {
		b = appendSectionMeta(b, &p.codes)
	}
	b = binary.AppendUvarint(b, uint64(len(p.columns)))
	for i := range p.columns {
		m := &p.columns[i]
		b = binary.AppendUvarint(b, names.number(m.name))
		b = append(b, byte(m.typ), byte(m.shape))
		b = binary.AppendUvarint(b, uint64(m.count))
		b = appendSectionMeta(b, m)
		b = binary.AppendUvarint(b, uint64(m.blocks))
		if m.blocks > 0 {
			b = binary.AppendUvarint(b, m.bloom)
		}
		if m.shape == shapeInts || m.shape == shapeFloats {
			b = binary.LittleEndian.AppendUint64(b, m.low)
			b = binary.LittleEndian.AppendUint64(b, m.high)
		}
	}
	return b
}

func appendSectionMeta(b []byte, m *meta) []byte {
	b = binary.AppendUvarint(b, m.offset)
	b = binary.AppendUvarint(b, uint64(m.size))
	b = append(b, byte(m.codec))
	b = binary.AppendUvarint(b, uint64(m.raw))
	return binary.LittleEndian.AppendUint32(b, m.sum)
}

// numbering gives texts numbers in the order they come.
type numbering struct {
	numbers map[string]uint64
	list    []string
}

func newNumbering() *numbering { return &numbering{numbers: map[string]uint64{}} }

func (n *numbering) number(s string) uint64 {
	x, ok := n.numbers[s]
	if !ok {
		x = uint64(len(n.list))
		n.numbers[s] = x
		n.list = append(n.list, s)
	}
	return x
}

func (n *numbering) appendTo(b []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(n.list)))
	for _, s := range n.list {
		b = append(binary.AppendUvarint(b, uint64(len(s))), s...)
	}
	return b
}

// readIndex reads an index of a part of so many bytes.
func readIndex(b []byte, size uint64) ([]pageMeta, error) {
	r := &indexReader{reader: reader{b: b}, size: size}
	for range r.length(len(r.b)) {
		r.names = append(r.names, r.text())
	}
	for range r.length(len(r.b)) {
		s, ok := event.ParseStream(r.text())
		r.bad = r.bad || !ok
		r.streams = append(r.streams, s)
	}
	n := r.length(len(r.b))
	pages := make([]pageMeta, 0, n)
	for range n {
		if r.bad {
			break
		}
		pages = append(pages, r.page())
	}
	if r.bad || len(r.b) > 0 {
		return nil, errDamaged("the index of a part cannot be read")
	}
	return pages, nil
}

type indexReader struct {
	reader
	size    uint64
	names   []string
	streams []event.Stream
}

func (r *indexReader) page() pageMeta {
	p := pageMeta{rows: r.length(pageRows), sorted: r.byte() == 1}
	p.minTime, p.maxTime, p.minID, p.maxID = r.varint(), r.varint(), r.varint(), r.varint()
	streams := r.length(p.rows)
	if p.rows == 0 || streams == 0 {
		r.bad = true
	}
	for range streams {
		n := r.uvarint()
		if n >= uint64(len(r.streams)) {
			r.bad = true
			return p
		}
		p.streams = append(p.streams, r.streams[n])
	}
	r.section(&p.times)
	r.section(&p.ids)
	if streams > 1 {
		r.section(&p.codes)
	}
	n := r.length(len(r.b))
	p.columns = make([]meta, 0, n)
	for range n {
		name := r.uvarint()
		if r.bad || name >= uint64(len(r.names)) {
			r.bad = true
			return p
		}
		m := meta{name: r.names[name], typ: event.Type(r.byte()), shape: shape(r.byte()), count: r.length(p.rows)}
		r.section(&m)
		if m.blocks = uint32(r.length(1 << 24)); m.blocks > 0 {
			m.bloom = r.uvarint()
			r.bad = r.bad || m.bloom > r.size || uint64(m.blocks)*bloomBlock > r.size-m.bloom
		}
		if m.shape == shapeInts || m.shape == shapeFloats {
			m.low, m.high = uint64(r.uint32())|uint64(r.uint32())<<32, uint64(r.uint32())|uint64(r.uint32())<<32
		}
		if !m.possible() {
			r.bad = true
		}
		p.columns = append(p.columns, m)
	}
	return p
}

// possible tells whether shape and type go together.
func (m *meta) possible() bool {
	switch m.shape {
	case shapeInts:
		return m.typ.IsNumber() && m.typ != event.TypeFloat || m.typ == event.TypeBool
	case shapeFloats:
		return m.typ == event.TypeFloat
	case shapeHex, shapePrefixed:
		return m.typ == event.TypeString
	case shapeDict, shapeTexts:
		return m.typ >= event.TypeString && m.typ <= event.TypeList
	}
	return false
}

func (r *indexReader) section(m *meta) {
	m.offset, m.size, m.codec, m.raw, m.sum = r.uvarint(), uint32(r.length(maxSection)), codec(r.byte()), uint32(r.length(maxSection)), r.uint32()
	if m.offset > r.size || uint64(m.size) > r.size-m.offset || m.codec > codecChunks {
		r.bad = true
	}
}
