package web

import (
	"context"
	"net/http"
	"reflect"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/daytwo-dev/daytwo/internal/auth"
)

// Op describes one operation of the API.
type Op struct {
	ID          string    // stable, kebab case, verb first: "list-incidents"
	Summary     string    // one line
	Description string    // Markdown; may be empty
	Tag         string    // the part of the product it belongs to: "incidents"
	Role        auth.Role // the least role that may call it
	Public      bool      // nobody needs to have signed in
	Status      int       // of success; by default 200, or 204 for struct{}
	Audit       string    // the action in the audit log; every operation that changes something sets one

	asks bool // it is a POST that changes nothing
}

// File is an answer that is not JSON: use it as O.
type File struct {
	ContentType string
	Name        string // offered for saving; empty shows it in place
	Body        []byte
}

// Get registers a read. I is a struct with path, query and header tags (and a
// Body); O is the body of the answer, struct{} for none, File for raw bytes.
// Routes are registered at start: a mistake in one panics.
func Get[I, O any](s *Server, path string, op Op, h func(context.Context, *I) (*O, error)) {
	register(s, http.MethodGet, path, op, h)
}

// Post registers an operation that makes or does something.
func Post[I, O any](s *Server, path string, op Op, h func(context.Context, *I) (*O, error)) {
	register(s, http.MethodPost, path, op, h)
}

// Ask registers a read whose question does not fit into an address: a POST that changes nothing, and is not in the audit log.
func Ask[I, O any](s *Server, path string, op Op, h func(context.Context, *I) (*O, error)) {
	op.asks = true
	register(s, http.MethodPost, path, op, h)
}

// Put registers an operation that replaces something.
func Put[I, O any](s *Server, path string, op Op, h func(context.Context, *I) (*O, error)) {
	register(s, http.MethodPut, path, op, h)
}

// Patch registers an operation that changes some fields of something.
func Patch[I, O any](s *Server, path string, op Op, h func(context.Context, *I) (*O, error)) {
	register(s, http.MethodPatch, path, op, h)
}

// Delete registers an operation that removes something.
func Delete[I, O any](s *Server, path string, op Op, h func(context.Context, *I) (*O, error)) {
	register(s, http.MethodDelete, path, op, h)
}

type reply[O any] struct{ Body O }

func register[I, O any](s *Server, method, path string, op Op, h func(context.Context, *I) (*O, error)) {
	o := s.operation(method, path, op, reflect.TypeFor[I](), reflect.TypeFor[O]())
	switch reflect.TypeFor[O]() {
	case reflect.TypeFor[struct{}]():
		huma.Register(s.api, o, func(ctx context.Context, in *I) (*struct{}, error) {
			_, err := call(ctx, s, op, in, h)
			return nil, err
		})
	case reflect.TypeFor[File]():
		o.Responses["200"] = &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{
			"*/*": {Schema: &huma.Schema{Type: huma.TypeString, Format: "binary"}},
		}}
		huma.Register(s.api, o, func(ctx context.Context, in *I) (*huma.StreamResponse, error) {
			out, err := call(ctx, s, op, in, h)
			if err != nil {
				return nil, err
			}
			return &huma.StreamResponse{Body: any(out).(*File).write}, nil
		})
	default:
		huma.Register(s.api, o, func(ctx context.Context, in *I) (*reply[O], error) {
			out, err := call(ctx, s, op, in, h)
			if err != nil {
				return nil, err
			}
			return &reply[O]{Body: withoutNilSlices(*out)}, nil
		})
	}
}

// call runs the handler, turns its error into the answer's problem, and writes
// the audit log after success.
func call[I, O any](ctx context.Context, s *Server, op Op, in *I, h func(context.Context, *I) (*O, error)) (*O, error) {
	out, err := h(ctx, in)
	if err != nil {
		return nil, s.refuse(ctx, err)
	}
	if op.Audit != "" {
		s.audit(ctx, op)
	}
	return out, nil
}

func (f *File) write(ctx huma.Context) {
	ctx.SetHeader("Content-Type", f.ContentType)
	if f.Name != "" {
		ctx.SetHeader("Content-Disposition", attachment(f.Name))
	}
	_, _ = ctx.BodyWriter().Write(f.Body) // the client has gone; nobody to tell
}

// operation translates op for huma, and refuses what would make the API uneven.
func (s *Server) operation(method, path string, op Op, in, out reflect.Type) huma.Operation {
	switch {
	case s.sealed:
		panic("web: " + op.ID + " is registered after the server was put to use")
	case op.ID == "" || op.Summary == "" || op.Tag == "":
		panic("web: " + method + " " + path + " needs an ID, a Summary and a Tag")
	case !strings.HasPrefix(path, "/api/") && !strings.HasPrefix(path, "/-/"):
		panic("web: " + path + " is neither under /api/ nor under /-/")
	case hidesInput(in):
		panic("web: the input of " + op.ID + " embeds a struct whose name is not exported: its fields would stay empty")
	case method != http.MethodGet && op.Audit == "" && !op.asks:
		panic("web: " + op.ID + " changes something and needs an Audit action")
	}
	s.naming.operation = op.ID
	o := huma.Operation{
		OperationID:                  op.ID,
		Method:                       method,
		Path:                         path,
		Summary:                      op.Summary,
		Description:                  op.Description,
		Tags:                         []string{op.Tag},
		DefaultStatus:                op.Status,
		MaxBodyBytes:                 s.cfg.MaxBody,
		BodyReadTimeout:              bodyTimeout,
		RejectUnknownQueryParameters: true,
		Metadata:                     map[string]any{opKey: op},
		Responses:                    map[string]*huma.Response{"default": s.problemResponse()},
		Extensions:                   map[string]any{"x-role": op.Role},
		Security:                     []map[string][]string{{"session": {}}, {"token": {}}},
	}
	if op.Public {
		o.Security, o.Extensions = []map[string][]string{}, nil
	}
	return o
}

// hidesInput tells whether an input embeds a struct under an unexported name,
// which huma passes over in silence.
func hidesInput(in reflect.Type) bool {
	for i := range in.NumField() {
		if f := in.Field(i); f.Anonymous && !f.IsExported() {
			return true
		}
	}
	return false
}

const opKey = "op"

// adapter hands huma's operations to the mux behind the guard.
type adapter struct{ s *Server }

func (a adapter) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.s.mux.ServeHTTP(w, r) }

func (a adapter) Handle(o *huma.Operation, handle func(huma.Context)) {
	op := o.Metadata[opKey].(Op)
	var h http.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handle(oneStatus{humago.NewContext(o, r, w)})
	})
	if _, streams := o.Metadata[streamKey]; !streams {
		h = compressed(limited(h))
	}
	if op.Public {
		a.s.opened(o.Path)
	}
	a.s.mux.Handle(o.Method+" "+o.Path, a.s.guard(access{role: op.Role, public: op.Public}, h))
}

// limited ends the context of a request that takes too long.
func limited(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), requestTimeout)
		defer cancel()
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
