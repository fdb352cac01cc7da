package eventdb

import "encoding/binary"

// Text is compressed in chunks, so that a row can be read without the rest of its
// page. A section of codecChunks is
//
//	uvarint  size of the head: all of the section's body that stands before the text
//	head
//	uvarint  stored size of each chunk
//	chunks   chunkSize bytes of text each, the last the rest, compressed with zstd;
//	         one whose stored size is that of its text is not compressed
const chunkSize = 64 << 10

// chunked adds w.body, whose text begins behind the head.
func (w *partWriter) chunked(m *meta, head int) {
	text := w.body[head:]
	start := len(w.buf)
	w.buf = append(binary.AppendUvarint(w.buf, uint64(head)), w.body[:head]...)
	w.chunks = w.chunks[:0]
	for len(text) > 0 {
		n := min(chunkSize, len(text))
		at := len(w.chunks)
		w.chunks = w.z.enc.EncodeAll(text[:n], w.chunks)
		if len(w.chunks)-at >= n {
			w.chunks = append(w.chunks[:at], text[:n]...)
		}
		w.buf = binary.AppendUvarint(w.buf, uint64(len(w.chunks)-at))
		text = text[n:]
	}
	w.buf = append(w.buf, w.chunks...)
	m.codec = codecChunks
	w.stored(m, start)
}

// chunks is a section of codecChunks, not decompressed yet.
type chunks struct {
	head []byte
	text int   // bytes
	ends []int // of the stored chunks in data
	data []byte
}

// readChunks reads a section whose body has so many bytes.
func readChunks(stored []byte, raw int) (chunks, bool) {
	r := &reader{b: stored}
	c := chunks{head: r.bytes(r.length(raw))}
	c.text = raw - len(c.head)
	end := 0
	for range (c.text + chunkSize - 1) / chunkSize {
		end += r.length(len(stored))
		c.ends = append(c.ends, end)
	}
	c.data = r.b
	return c, !r.bad && end == len(c.data)
}

// chunk appends the text of chunk i.
func (c *chunks) chunk(z *zstds, b []byte, i int) ([]byte, bool) {
	from, size, start := 0, min(chunkSize, c.text-i*chunkSize), len(b)
	if i > 0 {
		from = c.ends[i-1]
	}
	stored := c.data[from:c.ends[i]]
	if len(stored) == size {
		return append(b, stored...), true
	}
	b, err := z.dec.DecodeAll(stored, b)
	return b, err == nil && len(b)-start == size
}

// body appends everything.
func (c *chunks) body(z *zstds, b []byte) ([]byte, bool) {
	b = append(b, c.head...)
	for i := range c.ends {
		var ok bool
		if b, ok = c.chunk(z, b, i); !ok {
			return nil, false
		}
	}
	return b, true
}

// part is the text from one place to another, with what stands around it; from is
// where that begins.
func (c *chunks) part(z *zstds, start, end int) (text []byte, from int, ok bool) {
	if start < 0 || start > end || end > c.text {
		return nil, 0, false
	}
	first := start / chunkSize
	for i := first; i*chunkSize < end; i++ {
		if text, ok = c.chunk(z, text, i); !ok {
			return nil, 0, false
		}
	}
	return text, first * chunkSize, true
}
