package wire

// MaxElements is how many parts a text in JSON may have, as [Shape] counts them. An attribute has four.
const MaxElements = 1_000_000

// CheckJSON refuses an export in JSON that is nested too deeply or has too many parts. Whether it can be decoded is not asked.
func CheckJSON(data []byte) error {
	if depth, parts := Shape(data); depth > MaxDepth || parts > MaxElements {
		return tooLarge("the export has more than %d objects, arrays and elements of them, or is nested more than %d deep", MaxElements, MaxDepth)
	}
	return nil
}

// Shape is how deep objects and arrays are nested in a JSON text, and how many parts there are: objects, arrays, and what a comma
// parts within them; right or wrong. It tells what decoding would cost before it is done.
func Shape(data []byte) (deepest, parts int) {
	depth, quoted := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == ',':
			parts++
		case c == '{', c == '[':
			parts++
			depth++
			deepest = max(deepest, depth)
		case c == '}', c == ']':
			depth = max(0, depth-1)
		}
	}
	return deepest, parts
}
