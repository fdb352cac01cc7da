package problem

import (
	"cmp"
	"fmt"
	"slices"
)

// Severity tells a finding that makes a file unusable from one worth a look.
type Severity string

// The severities of a finding.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Finding is one thing to say about a file of the operations directory, where
// it stands.
type Finding struct {
	File     string   `json:"file"`
	Line     int      `json:"line"`   // from 1; 0: the file as a whole
	Column   int      `json:"column"` // from 1; 0: the line as a whole
	Message  string   `json:"message"`
	Mend     string   `json:"mend,omitempty"`
	Severity Severity `json:"severity"`
}

// String is `file:line:column: message (mend)`, without a place that is not
// known; a warning says so before its message.
func (f Finding) String() string {
	place := f.File
	if f.Line > 0 {
		place += fmt.Sprintf(":%d", f.Line)
		if f.Column > 0 {
			place += fmt.Sprintf(":%d", f.Column)
		}
	}
	message := f.Message
	if f.Severity == SeverityWarning {
		message = "warning: " + message
	}
	if f.Mend != "" {
		message += " (" + f.Mend + ")"
	}
	return place + ": " + message
}

// Broken tells whether any finding is an error: then what was read must not be
// put in force.
func Broken(findings []Finding) bool {
	return slices.ContainsFunc(findings, func(f Finding) bool { return f.Severity == SeverityError })
}

// SortFindings orders findings by place.
func SortFindings(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
