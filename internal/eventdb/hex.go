package eventdb

import (
	"encoding/binary"
	"encoding/hex"
)

func hexText(raw []byte) string { return view(appendHex(make([]byte, 0, 2*len(raw)), raw)) }

// appendHex writes bytes as hexadecimal digits.
func appendHex(b, raw []byte) []byte { return hex.AppendEncode(b, raw) }

// parseHex is the bytes of lower-case hexadecimal digits, appended.
func parseHex(b []byte, s string) ([]byte, bool) {
	if len(s)%2 != 0 {
		return b, false
	}
	for ; len(s) >= 8; s = s[8:] {
		four, ok := eightDigits(binary.LittleEndian.Uint64(bytesOf(s)))
		if !ok {
			return b, false
		}
		b = binary.LittleEndian.AppendUint32(b, four)
	}
	for i := 0; i+1 < len(s); i += 2 {
		high, low := hexValues[s[i]], hexValues[s[i+1]]
		if high|low > 15 {
			return b, false
		}
		b = append(b, high<<4|low)
	}
	return b, true
}

// eightDigits are the four bytes that eight digits stand for, the first digit in the
// lowest byte. All are looked at at once, a byte each.
func eightDigits(x uint64) (uint32, bool) {
	const every = 0x0101010101010101
	letter := x >> 6 & every // 1 for a to f, 0 for 0 to 9
	value := x&(15*every) + 9*letter
	over9 := (value + 0x76*every) >> 7 & every
	if over9 != letter || value&(16*every) != 0 || value+0x30*every+0x27*letter != x {
		return 0, false
	}
	pairs := (value<<4 | value>>8) & 0x00ff00ff00ff00ff
	pairs = (pairs | pairs>>8) & 0x0000ffff0000ffff
	return uint32(pairs | pairs>>16), true
}

// hexValues are what lower-case hexadecimal digits stand for, 255 for all else.
var hexValues = func() (values [256]uint8) {
	for c := range values {
		values[c] = 255
	}
	for x, c := range []byte("0123456789abcdef") {
		values[c] = uint8(x)
	}
	return values
}()
