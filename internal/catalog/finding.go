package catalog

import (
	"cmp"
	"fmt"
	"slices"
)

// Severity tells a finding that makes the file unusable from one that is worth a look.
type Severity string

const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Finding is one thing to say about a file, where it stands.
type Finding struct {
	File     string   `json:"file"`
	Line     int      `json:"line"`   // from 1
	Column   int      `json:"column"` // from 1
	Message  string   `json:"message"`
	Mend     string   `json:"mend,omitempty"`
	Severity Severity `json:"severity"`
}

// String is `file:line:column: message (mend)`; a warning says so before its message.
func (f Finding) String() string {
	message := f.Message
	if f.Severity == SeverityWarning {
		message = "warning: " + message
	}
	if f.Mend != "" {
		message += " (" + f.Mend + ")"
	}
	return fmt.Sprintf("%s:%d:%d: %s", f.File, f.Line, f.Column, message)
}

// Broken tells whether any finding is an error: then the catalog that came with them must not be put in force.
func Broken(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == SeverityError })
}

func sortFindings(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
