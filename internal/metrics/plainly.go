package metrics

import (
	"fmt"
	"regexp"
	"strings"
)

var (
	noField  = regexp.MustCompile(`^field (\S+) not found in type .+$`)
	badValue = regexp.MustCompile("(?s)^cannot unmarshal !!\\w+(?: `(.*)`)? into (\\S+)$")
)

// plainly says what the YAML library says of a value without the names of Go's types.
func plainly(message string) string {
	if m := noField.FindStringSubmatch(message); m != nil {
		return fmt.Sprintf("field %s not found: it does not belong here", m[1])
	}
	m := badValue.FindStringSubmatch(message)
	if m == nil {
		return message
	}
	what := "what stands here"
	if m[1] != "" {
		what = fmt.Sprintf("%q", m[1])
	}
	return what + " is not " + kindOf(m[2])
}

// kindOf is what a value of a Go type looks like in YAML.
func kindOf(goType string) string {
	name := goType[strings.LastIndex(goType, ".")+1:]
	switch {
	case strings.HasPrefix(goType, "[]"):
		return "a list"
	case strings.HasPrefix(goType, "map["):
		return "a mapping"
	case name == "bool":
		return "true or false"
	case name == "string":
		return "text"
	case name == "Duration":
		return "a duration such as 15s"
	case strings.HasPrefix(name, "int"), strings.HasPrefix(name, "uint"):
		return "a whole number"
	case strings.HasPrefix(name, "float"):
		return "a number"
	}
	return "a mapping"
}
