// Package syntax is the language of Logstash's configuration files: input, filter and output sections of plugins, with conditions
// around them. Parse reads a file, String writes one that means the same, and nothing here knows what any plugin does.
package syntax

// Pos is a place in a file, both from 1.
type Pos struct{ Line, Column int }

// File is a configuration file.
type File struct {
	Name     string
	Sections []*Section
}

// Section is one input, filter or output block.
type Section struct {
	Pos
	Kind string // input, filter or output
	Body []Statement
}

// Statement is a *Plugin or a *Branch.
type Statement interface{ statement() }

// Plugin is a plugin with its settings. It is a Value too: codec => json { … }.
type Plugin struct {
	Pos
	Name     string
	Settings []Setting
}

// Setting is name => value.
type Setting struct {
	Pos
	Name  string
	Value Value
}

// Branch is if, else if … else.
type Branch struct {
	Pos
	Cases []Case
}

// Case is one way of a branch.
type Case struct {
	Condition Condition // nil: else
	Body      []Statement
}

func (*Plugin) statement() {}
func (*Branch) statement() {}

// Value is a *String, *Bareword, *Number, *Array, *Hash or *Plugin; in conditions also *Regexp and *Selector.
type Value interface {
	At() Pos
	value()
}

// At is where the value begins.
func (p Pos) At() Pos { return p }

// String is a text in quotes. Backslashes stand for themselves: Logstash does not process escapes unless told to.
type String struct {
	Pos
	Text  string
	Quote byte // ' or "
}

// Bareword is a text without quotes: a letter or underscore, then letters, digits and underscores.
type Bareword struct {
	Pos
	Text string
}

// Number is written in decimal, maybe with a minus and a fraction.
type Number struct {
	Pos
	Text string
}

// Array is [a, b].
type Array struct {
	Pos
	Items []Value
}

// Hash is { key => value … }, in its order.
type Hash struct {
	Pos
	Entries []Entry
}

// Entry is one pair of a hash. The key is a *String, *Bareword or *Number.
type Entry struct{ Key, Value Value }

// Regexp is /expression/; what stands between the slashes is unchanged, \/ included.
type Regexp struct {
	Pos
	Text string
}

// Selector names a field: [a][b].
type Selector struct {
	Pos
	Text string
}

func (*Plugin) value()   {}
func (*String) value()   {}
func (*Bareword) value() {}
func (*Number) value()   {}
func (*Array) value()    {}
func (*Hash) value()     {}
func (*Regexp) value()   {}
func (*Selector) value() {}

// Condition is a *Logic, *Not, *Group, *Comparison or *Truth.
type Condition interface{ condition() }

// Logic joins two conditions by and, or, xor or nand. and and nand bind tighter.
type Logic struct {
	Operator    string
	Left, Right Condition
}

// Not turns a condition round.
type Not struct{ Operand Condition }

// Group is a condition in parentheses.
type Group struct{ Inner Condition }

// Comparison is two values and ==, !=, <, >, <=, >=, =~, !~, in or "not in".
type Comparison struct {
	Pos
	Operator    string
	Left, Right Value
}

// Truth is a value alone: a field that is there and is neither false nor empty.
type Truth struct{ Value Value }

func (*Logic) condition()      {}
func (*Not) condition()        {}
func (*Group) condition()      {}
func (*Comparison) condition() {}
func (*Truth) condition()      {}
