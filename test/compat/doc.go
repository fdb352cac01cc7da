// Package compat proves doors with the real clients that use them, unmodified.
// test/compat/setup fetches them into .cache/compat; what is not there is
// skipped, with a line that says so.
package compat
