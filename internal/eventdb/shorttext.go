package eventdb

import (
	"encoding/binary"
	"math/bits"
	"math/rand/v2"
)

// maxShort is the most bytes of a short text.
const maxShort = 16

// shortKey is two numbers that, with its length, tell a text of at most maxShort
// bytes from every other.
func shortKey(s string) (a, b uint64) {
	raw := bytesOf(s)
	switch n := len(raw); {
	case n >= 8:
		return binary.LittleEndian.Uint64(raw), binary.LittleEndian.Uint64(raw[n-8:])
	case n >= 4:
		return uint64(binary.LittleEndian.Uint32(raw)), uint64(binary.LittleEndian.Uint32(raw[n-4:]))
	case n > 0:
		return uint64(raw[0]) | uint64(raw[n/2])<<8 | uint64(raw[n-1])<<16, 0
	}
	return 0, 0
}

// shortSeed makes hashes of short texts such as nobody outside can foresee.
var shortSeed = [2]uint64{rand.Uint64(), rand.Uint64()}

// shortHash is a hash of a short text, from its key and length.
func shortHash(a, b uint64, n int) uint64 {
	high, low := bits.Mul64(a^shortSeed[0]^uint64(n)<<56, b^shortSeed[1])
	return high ^ low
}
