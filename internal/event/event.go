// Package event is the vocabulary every other package speaks: identifiers,
// labels, time ranges, and how people write times and durations. It does no I/O.
package event
