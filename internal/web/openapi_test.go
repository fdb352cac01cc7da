package web_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/pb33f/libopenapi"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/web"
)

type Entry struct { // as auth has one too
	Words []string          `json:"words"`
	Map   map[string][]leaf `json:"map"`
	At    time.Time         `json:"at"`
	Role  auth.Role         `json:"role"`
}

func documented(s *web.Server) {
	change := op("change-entry")
	change.Audit, change.Role = "entry.change", auth.Operator
	web.Get(s, "/api/entries", op("list-entries"), func(context.Context, *struct{ web.Page }) (*web.List[Entry], error) { return nil, nil })
	web.Put(s, "/api/entries/{id}", change, func(context.Context, *struct {
		ID   string `path:"id"`
		Body struct {
			Inner struct {
				X int `json:"x"`
			} `json:"inner"`
		}
	}) (*Entry, error) {
		return nil, nil
	})
	web.Get(s, "/api/entries/{id}/text", op("get-entry-text"), func(_ context.Context, in *struct {
		ID string `path:"id"`
	}) (*web.File, error) {
		return &web.File{ContentType: "text/markdown; charset=utf-8", Name: "entry " + in.ID + ".md", Body: []byte("# Entry")}, nil
	})
	web.Stream(s, "/api/stream", op("stream-entries"), func(context.Context, *web.Resume, func(string, lineOrTick) error) error { return nil })
}

func TestOpenAPI(t *testing.T) {
	r := newRig(t, nil, documented)
	doc, err := r.web.OpenAPI()
	if err != nil {
		t.Fatal(err)
	}
	other := newRig(t, nil, documented, func(c *web.Config) { c.Version, c.PublicURL = "v9", "https://ops.example.com" })
	if again, err := other.web.OpenAPI(); err != nil || !bytes.Equal(again, doc) {
		t.Errorf("the document depends on more than the routes: %v", err)
	}
	if served := r.do("GET", "/api/openapi.json", nil).ok(t, 200, nil); served.body != string(doc) {
		t.Error("another document is served")
	}

	parsed, err := libopenapi.NewDocument(doc)
	if err != nil {
		t.Fatal(err)
	}
	model, err := parsed.BuildV3Model()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(model.Model.Version, "3.1") {
		t.Errorf("version %s", model.Model.Version)
	}
	ids := map[string]bool{}
	for path, item := range model.Model.Paths.PathItems.FromOldest() {
		for method, o := range item.GetOperations().FromOldest() {
			if o.OperationId == "" || o.Summary == "" || len(o.Tags) != 1 || ids[o.OperationId] {
				t.Errorf("%s %s: id %q, summary %q, tags %v", method, path, o.OperationId, o.Summary, o.Tags)
			}
			ids[o.OperationId] = true
			if o.Responses.Codes.Len() == 0 || o.Responses.Default == nil && o.Responses.Codes.GetOrZero("default") == nil {
				t.Errorf("%s %s: responses are missing", method, path)
			}
		}
	}
	for _, want := range []string{"get-session", "list-audit", "list-entries", "stream-entries"} {
		if !ids[want] {
			t.Errorf("no operation %s", want)
		}
	}
	for _, not := range []string{"Huma", "ErrorModel", `"null"`, "$schema"} {
		if bytes.Contains(doc, []byte(not)) {
			t.Errorf("the document speaks of %s", not)
		}
	}
	var schemas struct {
		Components struct{ Schemas map[string]json.RawMessage }
	}
	if err := json.Unmarshal(doc, &schemas); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Problem", "AuthEntry", "AuthEntryList", "WebTestEntry", "WebTestEntryList", "ChangeEntryRequest", "Session", "CreateUserRequest"} {
		if schemas.Components.Schemas[want] == nil {
			t.Errorf("no schema %s", want)
		}
	}
	if !strings.Contains(string(schemas.Components.Schemas["WebTestEntry"]), `"operator"`) {
		t.Error("a role is not described by its names")
	}
}

func TestFile(t *testing.T) {
	r := newRig(t, nil, documented)
	a := r.do("GET", "/api/entries/7/text", nil, asAdmin).ok(t, 200, nil)
	if a.body != "# Entry" || a.Header.Get("Content-Type") != "text/markdown; charset=utf-8" ||
		a.Header.Get("Content-Disposition") != `attachment; filename="entry 7.md"` {
		t.Errorf("%q %v", a.body, a.Header)
	}
}

// Mistakes in routes are found when they are registered.
func TestUnevenOperationsPanic(t *testing.T) {
	for name, register := range map[string]func(*web.Server){
		"no id":            func(s *web.Server) { web.Get(s, "/api/x", web.Op{Summary: "x", Tag: "x"}, nothing) },
		"no summary":       func(s *web.Server) { web.Get(s, "/api/x", web.Op{ID: "x", Tag: "x"}, nothing) },
		"no tag":           func(s *web.Server) { web.Get(s, "/api/x", web.Op{ID: "x", Summary: "x"}, nothing) },
		"no audit":         func(s *web.Server) { web.Post(s, "/api/x", op("x"), nothing) },
		"an id used twice": func(s *web.Server) { web.Get(s, "/api/x", op("get-info"), nothing) },
		"outside /api":     func(s *web.Server) { web.Get(s, "/x", op("x"), nothing) },
		"too late": func(s *web.Server) {
			s.Handler()
			web.Get(s, "/api/x", op("x"), nothing)
		},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			newRig(t, nil, register)
		}()
	}
}
