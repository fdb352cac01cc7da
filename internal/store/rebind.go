package store

import (
	"strconv"
	"strings"
)

// rebind rewrites the ? placeholders of q to PostgreSQL's $1, $2 …, leaving
// alone those in 'strings', "identifiers", -- comments, /* comments */ (which
// nest) and $tag$ strings $tag$. Backslashes mean nothing, as in standard SQL.
func rebind(q string) string {
	var b strings.Builder
	for n := 0; ; {
		i := strings.IndexAny(q, `?'"-/$`)
		if i < 0 {
			b.WriteString(q)
			return b.String()
		}
		b.WriteString(q[:i])
		q = q[i:]
		if q[0] == '?' {
			n++
			b.WriteString("$" + strconv.Itoa(n))
			q = q[1:]
			continue
		}
		skip := opaque(q)
		b.WriteString(q[:skip])
		q = q[skip:]
	}
}

// opaque is the length of what starts at q[0] and holds no placeholders: a
// string, identifier or comment to its end, or else the single character.
func opaque(q string) int {
	switch {
	case q[0] == '\'' || q[0] == '"':
		return through(q, 1, q[:1]) // a doubled quote is two strings side by side: the same to us
	case strings.HasPrefix(q, "--"):
		return through(q, 2, "\n")
	case strings.HasPrefix(q, "/*"):
		return blockComment(q)
	case q[0] == '$':
		if tag := dollarTag(q); tag != "" {
			return through(q, len(tag), tag)
		}
	}
	return 1
}

// through is the length of q up to and with the first end at or after from.
func through(q string, from int, end string) int {
	if i := strings.Index(q[from:], end); i >= 0 {
		return from + i + len(end)
	}
	return len(q)
}

func blockComment(q string) int {
	depth := 0
	for i := 0; i+1 < len(q); i++ {
		switch q[i : i+2] {
		case "/*":
			depth++
			i++
		case "*/":
			i++
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(q)
}

// dollarTag is the opening $tag$ at q[0], or empty.
func dollarTag(q string) string {
	for i := 1; i < len(q); i++ {
		c := q[i]
		switch {
		case c == '$':
			return q[:i+1]
		case c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 || i > 1 && c >= '0' && c <= '9':
		default:
			return ""
		}
	}
	return ""
}
