package eventdb

import (
	"encoding/binary"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// A bloom tells of a column of text which words (event.Words) are surely in none
// of a page's values. It is a row of blocks of 64 bytes, 60 of bits and 4 of
// their CRC-32C, so that a look-up reads one block and still notices a flipped
// bit. A word sets bloomHashes bits of the block that its hash picks.
const (
	bloomBlock  = 64
	bloomBits   = 480
	bloomHashes = 5
	bloomPerKey = 10 // bits
)

// wordSet gathers the hashes of different words.
type wordSet struct {
	slots []uint64
	n     int
}

func (s *wordSet) reset() {
	if s.slots == nil {
		s.slots = make([]uint64, 1<<12)
	}
	clear(s.slots)
	s.n = 0
}

func (s *wordSet) add(h uint64) {
	if h == 0 {
		h = 1
	}
	if s.n*2 > len(s.slots) {
		old := s.slots
		s.slots = make([]uint64, 2*len(old))
		s.n = 0
		for _, h := range old {
			if h != 0 {
				s.add(h)
			}
		}
	}
	mask := uint64(len(s.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		if s.slots[i] == h {
			return
		}
		if s.slots[i] == 0 {
			s.slots[i] = h
			s.n++
			return
		}
	}
}

func wordHash(word string) uint64 { return xxhash.Sum64String(word) }

// addWords adds the words of a text.
func (s *wordSet) addWords(text string) {
	event.Words(text, func(w string) bool {
		s.add(wordHash(w))
		return true
	})
}

// addColumn adds the words of every value.
func (s *wordSet) addColumn(c *column) {
	if c.shape == shapeDict {
		for _, v := range c.dict {
			s.addValue(v)
		}
		return
	}
	if c.shape == shapeTexts && c.typ == event.TypeString {
		for i := range c.n {
			s.addWords(c.text(i))
		}
		return
	}
	if c.shape == shapeHex || c.shape == shapePrefixed && isASCII(c.prefix) {
		s.addFormed(c)
		return
	}
	for i := range c.n {
		if c.has(i) {
			s.addValue(c.value(i))
		}
	}
}

// addFormed adds the words of text that follows a form, without making it:
// hexadecimal digits are one word, and a prefix's words come once, but for the end
// that is one word with the number.
func (s *wordSet) addFormed(c *column) {
	word := make([]byte, 0, 64)
	if c.shape == shapePrefixed {
		cut := len(c.prefix)
		for cut > 0 && isWordChar(c.prefix[cut-1]) {
			cut--
		}
		s.addWords(c.prefix[:cut])
		word = append(word, strings.ToLower(c.prefix[cut:])...)
	}
	start := len(word)
	for i := range c.n {
		if c.present != nil && !c.present.has(i) {
			continue
		}
		if word = word[:start]; c.shape == shapePrefixed {
			word = strconv.AppendInt(word, c.ints[i], 10)
		} else {
			for _, x := range c.raw[i*c.width : (i+1)*c.width] {
				word = append(word, hexDigits[x>>4], hexDigits[x&15])
			}
		}
		s.add(xxhash.Sum64(word))
	}
}

func isWordChar(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (s *wordSet) addValue(v event.Value) {
	switch v.Type() {
	case event.TypeNull:
	case event.TypeString:
		s.addWords(v.Text())
	default:
		for _, item := range v.Strings() {
			s.addWords(item)
		}
	}
}

// appendBloom writes the blocks.
func (s *wordSet) appendBloom(b []byte) []byte {
	blocks := (s.n*bloomPerKey + bloomBits - 1) / bloomBits
	start := len(b)
	b = append(b, make([]byte, blocks*bloomBlock)...)
	bits := b[start:]
	for _, h := range s.slots {
		if h == 0 {
			continue
		}
		block := bits[bloomPlace(h, blocks):][:bloomBlock]
		for i := range bloomHashes {
			bit := bloomBit(h, i)
			block[bit>>3] |= 1 << (bit & 7)
		}
	}
	for i := 0; i < len(bits); i += bloomBlock {
		binary.LittleEndian.PutUint32(bits[i+60:], crc32.Checksum(bits[i:i+60], castagnoli))
	}
	return b
}

// bloomPlace is where the block of a hash begins.
func bloomPlace(h uint64, blocks int) int {
	return int((h>>32)*uint64(blocks)>>32) * bloomBlock
}

func bloomBit(h uint64, i int) uint32 {
	low := uint32(h)
	step := low>>17 | low<<15 | 1
	x := low + uint32(i)*step
	return uint32(uint64(x*0x9e3779b1) * bloomBits >> 32)
}

// bloomMay tells whether a block may have a hash; ok is false if it is damaged.
func bloomMay(block []byte, h uint64) (may, ok bool) {
	if crc32.Checksum(block[:60], castagnoli) != binary.LittleEndian.Uint32(block[60:]) {
		return true, false
	}
	if h == 0 {
		h = 1
	}
	for i := range bloomHashes {
		bit := bloomBit(h, i)
		if block[bit>>3]&(1<<(bit&7)) == 0 {
			return false, true
		}
	}
	return true, true
}
