package web_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/web"
)

type leaf struct {
	Names []string `json:"names"`
	Raw   []byte   `json:"raw"`
}

type tree struct {
	leaf                       // embedded
	List     []leaf            `json:"list"`
	Pointer  *leaf             `json:"pointer"`
	Map      map[string][]leaf `json:"map"`
	Any      any               `json:"any"`
	Message  json.RawMessage   `json:"message"`
	Omitted  []string          `json:"omitted,omitempty"`
	At       time.Time         `json:"at"`
	Children []*tree           `json:"children"`
	hidden   []string
}

func TestNoNullLists(t *testing.T) {
	in := tree{
		List: []leaf{{}, {Names: []string{"a"}}}, Pointer: &leaf{}, Map: map[string][]leaf{"a": nil, "b": {{}}},
		Any: leaf{}, Children: []*tree{nil, {}},
	}
	before, err := json.Marshal(in)
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(web.WithoutNilSlices(in))
	if err != nil {
		t.Fatal(err)
	}
	const names = `{"names":[],"raw":null}`
	const want = `{"names":[],"raw":null,"list":[` + names + `,{"names":["a"],"raw":null}],"pointer":` + names +
		`,"map":{"a":[],"b":[` + names + `]},"any":` + names + `,"message":null,"at":"0001-01-01T00:00:00Z","children":[null,` +
		`{"names":[],"raw":null,"list":[],"pointer":null,"map":null,"any":null,"message":null,"at":"0001-01-01T00:00:00Z","children":[]}]}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if after, _ := json.Marshal(in); string(after) != string(before) {
		t.Errorf("the input was changed:\n%s\nto\n%s", before, after)
	}
	if in.hidden != nil {
		t.Error("an unexported field was changed")
	}
}
