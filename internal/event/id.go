package event

import (
	"crypto/rand"
	"encoding/binary"
	"sync"
	"time"
)

// crockford is Crockford's base 32 in lower case: no i, l, o, u.
const crockford = "0123456789abcdefghjkmnpqrstvwxyz"

// NewID returns a ULID (github.com/ulid/spec) in lower case: 26 characters, 48
// bits of Unix milliseconds and 80 random bits. Within this process each id
// sorts after every earlier one, also within a millisecond and when the clock
// steps back.
func NewID() string { return ids.next(time.Now()) }

// ids is the process's one source: order across the process needs one.
var ids idSource

type idSource struct {
	mu     sync.Mutex
	millis uint64
	high   uint16 // upper 16 of the 80 random bits
	low    uint64 // lower 64
}

func (s *idSource) next(now time.Time) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ms := uint64(now.UnixMilli()); ms > s.millis {
		s.reseed(ms)
	} else if s.low++; s.low == 0 {
		if s.high++; s.high == 0 { // 2^80 ids in a millisecond: borrow the next one
			s.reseed(s.millis + 1)
		}
	}
	return encodeID(s.millis, s.high, s.low)
}

func (s *idSource) reseed(ms uint64) {
	var r [10]byte
	rand.Read(r[:]) // never fails, see crypto/rand
	s.millis, s.high, s.low = ms, binary.BigEndian.Uint16(r[:]), binary.BigEndian.Uint64(r[2:])
}

// encodeID writes the 128 bits as 26 digits of 5 bits, the first of them 3 bits.
func encodeID(millis uint64, high uint16, low uint64) string {
	hi, lo := millis<<16|uint64(high), low
	var out [26]byte
	for i := 25; i >= 0; i-- {
		out[i] = crockford[lo&31]
		lo = lo>>5 | hi<<59
		hi >>= 5
	}
	return string(out[:])
}
