package web

import (
	"encoding/base64"
	"encoding/json"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Page is how a list is asked for in parts: embed it in the input.
type Page struct {
	Limit  int    `query:"limit" default:"50" minimum:"1" maximum:"500" doc:"how many items at most"`
	Cursor string `query:"cursor" doc:"the next of the answer before"`
}

// List is one part of a list. Next asks for the part after it; it is absent at
// the end.
type List[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty" doc:"the cursor of the next part"`
}

// Cursor makes an opaque cursor of the key of the last item of a part. Without a
// key there is no next part.
func Cursor(key ...string) string {
	if len(key) == 0 || len(key) == 1 && key[0] == "" {
		return ""
	}
	b, _ := json.Marshal(key) // strings always marshal
	return base64.RawURLEncoding.EncodeToString(b)
}

// Key reads a cursor back into the n strings it was made of. It returns nil for
// the first part.
func (p Page) Key(n int) ([]string, error) {
	if p.Cursor == "" {
		return nil, nil
	}
	var key []string
	b, err := base64.RawURLEncoding.DecodeString(p.Cursor)
	if err == nil {
		err = json.Unmarshal(b, &key)
	}
	if err != nil || len(key) != n {
		return nil, problem.New(problem.Invalid, "the cursor is not one of this list").
			WithField("cursor").WithMend("start again without a cursor")
	}
	return key, nil
}

// After is Key for cursors of one string; empty for the first part.
func (p Page) After() (string, error) {
	key, err := p.Key(1)
	if err != nil || key == nil {
		return "", err
	}
	return key[0], nil
}
