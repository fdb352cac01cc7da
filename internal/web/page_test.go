package web_test

import (
	"slices"
	"testing"
	"unicode/utf8"

	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/web"
)

func TestCursor(t *testing.T) {
	for _, key := range [][]string{{"a"}, {"2026-03-01", "01h"}, {"\x00", "ä/+ \"", ""}} {
		got, err := web.Page{Cursor: web.Cursor(key...)}.Key(len(key))
		if err != nil || !slices.Equal(got, key) {
			t.Errorf("%q → %q, %v", key, got, err)
		}
		_, err = web.Page{Cursor: web.Cursor(key...)}.Key(len(key) + 1)
		if problem.CodeOf(err) != problem.Invalid || problem.From(err).Field != "cursor" {
			t.Errorf("%q as a key of %d: %v", key, len(key)+1, err)
		}
	}
	if web.Cursor() != "" || web.Cursor("") != "" {
		t.Error("without a key there is a next part")
	}
	if after, err := (web.Page{}).After(); after != "" || err != nil {
		t.Errorf("first part: %q, %v", after, err)
	}
}

func FuzzCursor(f *testing.F) {
	for _, s := range []string{"", "!", "WyJhIl0", "WyJhIiwiYiJd", "bnVsbA", "e30", "W10", web.Cursor("x", "y")} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		key, err := web.Page{Cursor: s}.Key(2)
		if err != nil {
			if problem.CodeOf(err) != problem.Invalid {
				t.Fatalf("%q: %v", s, err)
			}
			return
		}
		if s == "" {
			return
		}
		if len(key) != 2 || !utf8.ValidString(key[0]+key[1]) {
			t.Fatalf("%q → %q", s, key)
		}
		again, err := web.Page{Cursor: web.Cursor(key...)}.Key(2)
		if err != nil || !slices.Equal(again, key) {
			t.Fatalf("%q → %q → %q, %v", s, key, again, err)
		}
	})
}
