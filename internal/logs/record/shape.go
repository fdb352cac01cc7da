package record

// Shape is how deep objects and arrays are nested in a JSON text, and how many there are, right or wrong: it tells what decoding
// would cost before it is done.
func Shape(data []byte) (deepest, parts int) {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{', c == '[':
			parts++
			depth++
			deepest = max(deepest, depth)
		case c == '}', c == ']':
			depth--
		}
	}
	return deepest, parts
}
