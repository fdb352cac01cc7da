package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/daytwo-dev/daytwo/internal/auth"
)

func newAPI(s *Server) huma.API {
	const prefix = "#/components/schemas/"
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title:       "daytwo",
			Version:     "1", // of the API: the document must not change with each build
			Description: "All of operations in one binary. Errors are RFC 9457 problems; lists are asked for in parts with limit and cursor.",
		},
		Components: &huma.Components{
			Schemas: huma.NewMapRegistry(prefix, s.naming.name),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				"session": {Type: "apiKey", In: "cookie", Name: cookieBase, Description: "made by signing in"},
				"token":   {Type: "http", Scheme: "bearer", Description: "an API token, dt_…"},
			},
		},
	}
	doc.Components.Schemas.RegisterTypeAlias(reflect.TypeFor[auth.Role](), reflect.TypeFor[roleName]())
	return huma.NewAPI(huma.Config{
		OpenAPI:       doc,
		Formats:       huma.DefaultFormats,
		DefaultFormat: "application/json",
		Transformers:  []huma.Transformer{ownProblems},
	}, adapter{s})
}

// roleName is how a role looks in JSON.
type roleName string

// Schema lists the names.
func (roleName) Schema(huma.Registry) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeString}
	for r := auth.Viewer; r <= auth.Admin; r++ {
		s.Enum = append(s.Enum, r.String())
	}
	return s
}

func (s *Server) problemResponse() *huma.Response {
	return &huma.Response{Description: "Error", Content: map[string]*huma.MediaType{
		problemType: {Schema: s.api.OpenAPI().Components.Schemas.Schema(reflect.TypeFor[Problem](), true, "Problem")},
	}}
}

// OpenAPI returns the document of all routes. It depends on the routes alone, and
// is sorted: it can be committed and compared. Routes registered later panic.
func (s *Server) OpenAPI() ([]byte, error) { return s.document() }

func (s *Server) writeDocument() ([]byte, error) {
	s.sealed = true
	schemas := s.api.OpenAPI().Components.Schemas.Map()
	for _, t := range []reflect.Type{reflect.TypeFor[huma.ErrorModel](), reflect.TypeFor[huma.ErrorDetail]()} {
		delete(schemas, s.naming.name(t, "")) // answers carry Problem, see ownProblems
	}
	for _, schema := range schemas {
		neverNull(schema)
	}
	b, err := json.MarshalIndent(s.api.OpenAPI(), "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write the OpenAPI document: %w", err)
	}
	return append(b, '\n'), nil
}

// neverNull says of arrays what withoutNilSlices makes true.
func neverNull(s *huma.Schema) {
	if s == nil {
		return
	}
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	neverNull(s.Items)
	for _, p := range s.Properties {
		neverNull(p)
	}
	if additional, ok := s.AdditionalProperties.(*huma.Schema); ok {
		neverNull(additional)
	}
}

func (s *Server) serveOpenAPI(w http.ResponseWriter, r *http.Request) {
	b, err := s.document()
	if err != nil {
		s.Fail(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(b) // the client has gone; nobody to tell
}

// schemaNames names the schemas of Go types so that two packages can both have a
// Status: the package comes first, unless the type begins with it. Types of this
// package stand alone, lists are named after their items.
type schemaNames struct {
	operation string // being registered: names its unnamed types
}

var generic = regexp.MustCompile(`^(.*/)?web\.List\[(.*)\]$`)

func (n *schemaNames) name(t reflect.Type, hint string) string {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t.Name() == "" {
		return n.unnamed(t, hint)
	}
	if m := generic.FindStringSubmatch(t.PkgPath() + "." + t.Name()); m != nil {
		return qualified(m[2]) + "List"
	}
	name, args, _ := strings.Cut(t.Name(), "[")
	full := qualified(t.PkgPath() + "." + name)
	for arg := range strings.FieldsFuncSeq(args, func(r rune) bool { return r == ']' || r == ',' }) {
		full += qualified(arg)
	}
	return full
}

func (n *schemaNames) unnamed(t reflect.Type, hint string) string {
	if t.Kind() == reflect.Slice || t.Kind() == reflect.Array {
		return n.name(t.Elem(), hint) + "List"
	}
	base := camel(n.operation)
	switch {
	case strings.HasSuffix(hint, "Body") || strings.HasSuffix(hint, "Request"):
		return base + "Request"
	case strings.HasSuffix(hint, "Response"):
		return base + "Response"
	}
	return base + camel(hint)
}

// qualified joins the last part of a package path with the name of a type in it.
func qualified(s string) string {
	s = strings.TrimLeft(s, "*[]")
	pkg, name, ok := strings.Cut(s[strings.LastIndex(s, "/")+1:], ".")
	if !ok {
		return camel(s)
	}
	name, _, _ = strings.Cut(name, "·") // of a type declared in a function
	if pkg == "web" || strings.HasPrefix(strings.ToLower(name), pkg) {
		return camel(name)
	}
	return camel(pkg) + camel(name)
}

func camel(s string) string {
	var b strings.Builder
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == '-' || r == '_' || r == '.' || r == '/' }) {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}
