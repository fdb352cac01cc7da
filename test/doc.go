// Package test proves features against the real binary: each file in scripts/
// is one feature, a txtar archive whose comment is a script of commands and
// whose files are its input.
package test
