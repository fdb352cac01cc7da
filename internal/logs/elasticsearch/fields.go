package elasticsearch

import (
	"context"
	"net/http"
	"slices"
	"sort"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/match"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
)

// fieldType is Elasticsearch's type of a field: of several the one that holds
// them all.
func fieldType(f event.FieldInfo) string {
	types := map[string]string{"int": "long", "float": "double", "duration": "long", "time": "date", "bool": "boolean", "bytes": "binary"}
	found := ""
	for _, t := range f.Types {
		one, ok := types[t]
		switch {
		case !ok:
			if match.IsProse(f.Name) {
				return "text"
			}
			return "keyword"
		case found == "" || found == "long" && one == "double":
			found = one
		case one != found && (found != "double" || one != "long"):
			return "keyword"
		}
	}
	if found == "" {
		return "keyword"
	}
	return found
}

// hiddenFields are daytwo's own, which no document has.
var hiddenFields = []string{record.IDField, event.KindField, event.DatasetField}

// fieldsOf are the fields of the documents that match by name, of very many the most
// frequent, and how many more there are.
func (d *Door) fieldsOf(ctx context.Context, filter event.Filter, prefix string) (fields []event.FieldInfo, more int, err error) {
	res, err := d.cfg.Events.Query(ctx, event.Query{Range: bounds(filter), Filter: filter, Fields: &event.Fields{Prefix: prefix}})
	if err != nil {
		return nil, 0, err
	}
	fields = slices.DeleteFunc(res.Fields, func(f event.FieldInfo) bool {
		return slices.Contains(hiddenFields, f.Name) || f.Name == event.TimeField || f.Name == event.IDField
	})
	fields = append(fields, event.FieldInfo{Name: event.TimeField, Types: []string{"time"}})
	sort.Slice(fields, func(i, j int) bool { return fields[i].Name < fields[j].Name })
	return fields, res.MoreFields, nil
}

// mappings are an index's: properties nested as the names are. What it leaves out is
// counted where Elasticsearch keeps what an application notes of a mapping.
func (d *Door) mappings(ctx context.Context, index string) (map[string]any, error) {
	fields, more, err := d.fieldsOf(ctx, indexFilter(index), "")
	if err != nil {
		return nil, err
	}
	out := map[string]any{"properties": properties(fields)}
	if more > 0 {
		out["_meta"] = map[string]any{"fields_left_out": more}
	}
	return out, nil
}

func properties(fields []event.FieldInfo) map[string]any {
	root := map[string]any{}
	for _, f := range fields {
		at := root
		parts := strings.Split(f.Name, ".")
		for _, p := range parts[:len(parts)-1] {
			child, ok := at[p].(map[string]any)
			if !ok {
				child = map[string]any{}
				at[p] = child
			}
			props, ok := child["properties"].(map[string]any)
			if !ok {
				props = map[string]any{}
				child["properties"] = props
			}
			at = props
		}
		leaf, ok := at[parts[len(parts)-1]].(map[string]any)
		if !ok {
			leaf = map[string]any{}
			at[parts[len(parts)-1]] = leaf
		}
		if leaf["properties"] == nil {
			leaf["type"] = fieldType(f)
			if leaf["type"] == "text" {
				leaf["fields"] = map[string]any{"keyword": map[string]string{"type": "keyword"}}
			}
		}
	}
	return root
}

func (d *Door) mapping(r *http.Request) (any, error) {
	all, err := d.matching(r.Context(), r.PathValue("index"))
	if err != nil {
		return nil, err
	}
	if name := r.PathValue("index"); len(all) == 0 && name != "" && name != "_all" && !strings.Contains(name, "*") {
		return nil, missingIndex(name)
	}
	out := map[string]any{}
	for name := range all {
		mappings, err := d.mappings(r.Context(), name)
		if err != nil {
			return nil, err
		}
		out[name] = map[string]any{"mappings": mappings}
	}
	return out, nil
}

// commonPrefix is what the name of every field begins with that a pattern matches,
// by itself or with .keyword behind it.
func commonPrefix(patterns []string) string {
	const suffix = ".keyword"
	var common string
	for i, p := range patterns {
		if at := strings.IndexAny(p, `*?\`); at >= 0 {
			p = p[:at]
		}
		for n := len(suffix); n > 0; n-- {
			if rest, ok := strings.CutSuffix(p, suffix[:n]); ok {
				p = rest
				break
			}
		}
		if i == 0 {
			common = p
		}
		for !strings.HasPrefix(p, common) {
			common = common[:len(common)-1]
		}
	}
	return common
}

func (d *Door) fieldCaps(r *http.Request) (any, error) {
	body, err := document(r)
	if err != nil {
		return nil, err
	}
	if err := d.refuseAbsent(r.Context(), r.PathValue("index"), absenceOf(r)); err != nil {
		return nil, err
	}
	filter := indexFilter(r.PathValue("index"))
	if q := body["index_filter"]; q != nil {
		f, err := (&compiler{now: time.Now()}).simple(q)
		if err != nil {
			return nil, err
		}
		filter = event.And(filter, f)
	}
	patterns := stringList(body["fields"])
	if p := r.URL.Query().Get("fields"); p != "" {
		patterns = append(patterns, strings.Split(p, ",")...)
	}
	if len(patterns) == 0 {
		patterns = []string{"*"}
	}
	fields, _, err := d.fieldsOf(r.Context(), filter, commonPrefix(patterns))
	if err != nil {
		return nil, err
	}
	all, err := d.matching(r.Context(), r.PathValue("index"))
	if err != nil {
		return nil, err
	}
	caps := map[string]any{}
	put := func(name, kind string) {
		if slices.ContainsFunc(patterns, func(p string) bool { return event.MatchWildcard(p, name) }) {
			caps[name] = map[string]any{kind: map[string]any{"type": kind, "metadata_field": false, "searchable": true, "aggregatable": kind != "text"}}
		}
	}
	for _, f := range fields {
		kind := fieldType(f)
		put(f.Name, kind)
		if kind == "text" {
			put(f.Name+".keyword", "keyword")
		}
	}
	indices := make([]string, 0, len(all))
	for name := range all {
		indices = append(indices, name)
	}
	sort.Strings(indices)
	if len(indices) == 0 && r.Method == http.MethodHead {
		return nil, missingIndex(r.PathValue("index"))
	}
	return map[string]any{"indices": indices, "fields": caps}, nil
}
