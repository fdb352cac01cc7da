package eventdb

import (
	"encoding/binary"
	"hash/crc32"
	"math/bits"
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

// hashSet gathers different hashes, none of them 0.
type hashSet struct {
	list  []uint64
	slots []uint64 // open addressing, half empty
}

// reset empties s and makes room for about n.
func (s *hashSet) reset(n int) {
	s.list = s.list[:0]
	s.resize(1 << bits.Len(uint(2*n)))
}

func (s *hashSet) resize(n int) {
	if cap(s.slots) < n {
		s.slots = make([]uint64, n)
	}
	s.slots = s.slots[:n]
	clear(s.slots)
	mask := uint64(n - 1)
	for _, h := range s.list {
		i := h & mask
		for s.slots[i] != 0 {
			i = (i + 1) & mask
		}
		s.slots[i] = h
	}
}

func (s *hashSet) add(h uint64) {
	if h == 0 {
		h = 1
	}
	mask := uint64(len(s.slots) - 1)
	for i := h & mask; ; i = (i + 1) & mask {
		switch s.slots[i] {
		case h:
			return
		case 0:
			s.slots[i], s.list = h, append(s.list, h)
			if len(s.list)*2 > len(s.slots) {
				s.resize(2 * len(s.slots))
			}
			return
		}
	}
}

func wordHash(word string) uint64 { return xxhash.Sum64String(word) }

// wordSet gathers the hashes of words.
type wordSet struct {
	hashSet
	lower []byte
	known [256]knownWord // by the last bits of their hash
}

// knownWord is the key of a short word that was added already, see shortKey.
type knownWord struct {
	a, b uint64
	n    int
}

// reset empties s and makes room for about n.
func (s *wordSet) reset(n int) {
	s.hashSet.reset(n)
	clear(s.known[:])
}

// addWord adds a word in lower case. Most words of a column come again and again.
func (s *wordSet) addWord(word string) {
	if len(word) <= maxShort {
		a, b := shortKey(word)
		word := knownWord{a, b, len(word)}
		known := &s.known[shortHash(a, b, word.n)&255]
		if *known == word {
			return
		}
		*known = word
	}
	s.add(wordHash(word))
}

// What a byte is to words, see event.Words.
const (
	byteApart = iota
	byteWord
	byteUpper
	byteBeyond // part of a character beyond ASCII
)

var byteKinds = func() (kinds [256]uint8) {
	for c := range kinds {
		switch {
		case c >= 0x80:
			kinds[c] = byteBeyond
		case c >= 'A' && c <= 'Z':
			kinds[c] = byteUpper
		case isWordChar(byte(c)):
			kinds[c] = byteWord
		}
	}
	return kinds
}()

// addWords adds the words of a text, as event.Words has them.
func (s *wordSet) addWords(text string) {
	for i := 0; i < len(text); {
		kind := byteKinds[text[i]]
		if kind == byteApart {
			i++
			continue
		}
		start, upper := i, false
		for kind != byteApart {
			upper = upper || kind == byteUpper
			if kind == byteBeyond {
				event.Words(text[start:], func(w string) bool {
					s.addWord(w)
					return true
				})
				return
			}
			if i++; i == len(text) {
				break
			}
			kind = byteKinds[text[i]]
		}
		if !upper {
			s.addWord(text[start:i])
			continue
		}
		s.lower = append(s.lower[:0], text[start:i]...)
		for j, c := range s.lower {
			if c-'A' < 26 {
				s.lower[j] = c + 'a' - 'A'
			}
		}
		s.addWord(view(s.lower))
	}
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
			word = appendHex(word, c.raw[i*c.width:(i+1)*c.width])
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
func (s *hashSet) appendBloom(b []byte) []byte {
	blocks := (len(s.list)*bloomPerKey + bloomBits - 1) / bloomBits
	start := len(b)
	b = append(b, make([]byte, blocks*bloomBlock)...)
	filled := b[start:]
	for _, h := range s.list {
		block := filled[bloomPlace(h, blocks):][:bloomBlock]
		for i := range bloomHashes {
			bit := bloomBit(h, i)
			block[bit>>3] |= 1 << (bit & 7)
		}
	}
	for i := 0; i < len(filled); i += bloomBlock {
		binary.LittleEndian.PutUint32(filled[i+60:], crc32.Checksum(filled[i:i+60], castagnoli))
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
