package elasticsearch

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// Version is the version of Elasticsearch whose protocol is spoken: clients and
// shippers choose their way by it.
const Version = "9.1.0"

// Kinds of documents that are kept for shippers.
const (
	kindIndex     = "index"
	kindTemplate  = "index_template"
	kindComponent = "component_template"
	kindLegacy    = "template"
	kindPolicy    = "ilm_policy"
	kindPipeline  = "ingest_pipeline"
)

const maxKept = 1 << 20 // bytes of one template, policy or pipeline

func (d *Door) adminRoutes() {
	d.know("GET", "/_cluster/health", d.health)
	d.know("GET", "/_cluster/health/{index}", d.health)
	d.know("GET", "/_cluster/settings", func(*http.Request) (any, error) {
		return map[string]any{"persistent": struct{}{}, "transient": struct{}{}, "defaults": struct{}{}}, nil
	})
	d.know("GET", "/_cluster/stats", d.clusterStats)
	d.know("GET", "/_license", d.license)
	d.know("GET", "/_xpack", d.xpack)
	d.know("GET", "/_nodes", d.nodes)
	d.know("GET", "/_nodes/http", d.nodes)
	d.know("GET", "/_nodes/{filter}", d.nodes)
	d.know("GET", "/_nodes/{filter}/http", d.nodes)
	d.know("GET", "/_nodes/stats", d.nodeStats)
	d.know("GET", "/_nodes/{filter}/stats", d.nodeStats)
	d.know("GET", "/_nodes/{filter}/stats/{metric}", d.nodeStats)
	d.read("GET", "/_cat/indices", d.catIndices)
	d.read("GET", "/_cat/indices/{index}", d.catIndices)
	d.read("GET", "/_resolve/index/{index}", d.resolve)
	d.know("GET", "/_alias/{name}", func(*http.Request) (any, error) {
		return reply{http.StatusNotFound, map[string]any{"error": "alias missing", "status": 404}}, nil
	})
	d.know("GET", "/_alias", func(*http.Request) (any, error) { return struct{}{}, nil })
	d.know("GET", "/_data_stream/{index}", d.dataStreams)
	d.know("GET", "/_data_stream", d.dataStreams)
	d.ingest("PUT", "/_data_stream/{index}", d.makeIndex)
	for path, kind := range map[string]string{
		"/_index_template": kindTemplate, "/_component_template": kindComponent, "/_template": kindLegacy,
		"/_ilm/policy": kindPolicy, "/_ingest/pipeline": kindPipeline,
	} {
		d.ingest("PUT|POST", path+"/{name}", d.keep(kind))
		d.know("GET", path+"/{name}", d.kept(kind))
		d.know("GET", path, d.kept(kind))
		d.ingest("DELETE", path+"/{name}", d.forget(kind))
	}
}

func (d *Door) info(*http.Request) (any, error) {
	return map[string]any{
		"name": d.node, "cluster_name": "daytwo", "cluster_uuid": "daytwo",
		"version": map[string]any{
			"number": Version, "build_flavor": "default", "build_type": "daytwo", "build_hash": "daytwo", "build_date": "2026-01-01T00:00:00.000Z",
			"build_snapshot": false, "lucene_version": "10.2.2", "minimum_wire_compatibility_version": "8.19.0", "minimum_index_compatibility_version": "8.0.0",
		},
		"tagline": "You Know, for Search",
	}, nil
}

func (d *Door) health(r *http.Request) (any, error) {
	all, err := d.indices(r.Context())
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"cluster_name": "daytwo", "status": "green", "timed_out": false, "number_of_nodes": 1, "number_of_data_nodes": 1,
		"active_primary_shards": len(all), "active_shards": len(all), "relocating_shards": 0, "initializing_shards": 0, "unassigned_shards": 0,
		"unassigned_primary_shards": 0, "delayed_unassigned_shards": 0, "number_of_pending_tasks": 0, "number_of_in_flight_fetch": 0,
		"task_max_waiting_in_queue_millis": 0, "active_shards_percent_as_number": 100.0,
	}, nil
}

func (d *Door) clusterStats(r *http.Request) (any, error) {
	all, err := d.indices(r.Context())
	if err != nil {
		return nil, err
	}
	var docs int64
	for _, n := range all {
		docs += n
	}
	return map[string]any{
		"cluster_name": "daytwo", "cluster_uuid": "daytwo", "timestamp": time.Now().UnixMilli(), "status": "green",
		"indices": map[string]any{"count": len(all), "docs": map[string]any{"count": docs, "deleted": 0}},
		"nodes":   map[string]any{"count": map[string]any{"total": 1, "data": 1}, "versions": []string{Version}},
	}, nil
}

func (d *Door) license(*http.Request) (any, error) {
	return map[string]any{"license": map[string]any{
		"status": "active", "uid": "daytwo", "type": "basic", "issue_date_in_millis": d.started.UnixMilli(), "max_nodes": 1000, "issued_to": "daytwo", "issuer": "daytwo", "start_date_in_millis": -1,
	}}, nil
}

func (d *Door) xpack(*http.Request) (any, error) {
	features := map[string]any{}
	for _, name := range []string{"ilm", "security", "monitoring", "ml", "watcher", "graph", "data_streams"} {
		on := name == "security" || name == "ilm"
		features[name] = map[string]bool{"available": on, "enabled": on}
	}
	return map[string]any{
		"build": map[string]string{"hash": "daytwo"}, "license": map[string]any{"uid": "daytwo", "type": "basic", "mode": "basic", "status": "active"},
		"features": features, "tagline": "You know, for X",
	}, nil
}

func (d *Door) nodes(r *http.Request) (any, error) {
	return map[string]any{
		"_nodes": shards(), "cluster_name": "daytwo",
		"nodes": map[string]any{"daytwo": map[string]any{
			"name": d.node, "transport_address": r.Host, "host": d.node, "ip": "127.0.0.1", "version": Version, "build_flavor": "default", "build_type": "daytwo", "build_hash": "daytwo",
			"roles": []string{"data", "ingest", "master"}, "attributes": struct{}{},
			"http": map[string]any{"publish_address": r.Host, "bound_address": []string{r.Host}, "max_content_length_in_bytes": d.cfg.MaxBody},
		}},
	}, nil
}

// nodeStats are the figures of this process that Elasticsearch has a name for.
func (d *Door) nodeStats(r *http.Request) (any, error) {
	all, err := d.indices(r.Context())
	if err != nil {
		return nil, err
	}
	var docs int64
	for _, n := range all {
		docs += n
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	now := time.Now()
	return map[string]any{
		"_nodes": shards(), "cluster_name": "daytwo",
		"nodes": map[string]any{"daytwo": map[string]any{
			"timestamp": now.UnixMilli(), "name": d.node, "transport_address": r.Host, "host": d.node, "ip": "127.0.0.1:9300", "roles": []string{"data", "ingest", "master"},
			"indices": map[string]any{"docs": map[string]any{"count": docs, "deleted": 0}},
			"jvm": map[string]any{
				"timestamp": now.UnixMilli(), "uptime_in_millis": now.Sub(d.started).Milliseconds(),
				"mem": map[string]any{"heap_used_in_bytes": m.HeapAlloc, "heap_committed_in_bytes": m.HeapSys, "heap_max_in_bytes": m.HeapSys},
				"gc":  map[string]any{"collectors": map[string]any{"young": map[string]any{"collection_count": m.NumGC, "collection_time_in_millis": m.PauseTotalNs / 1e6}}},
			},
		}},
	}, nil
}

// indices are the datasets with events, and those that were made empty, with
// their numbers of events.
func (d *Door) indices(ctx context.Context) (map[string]int64, error) {
	res, err := d.cfg.Events.Query(ctx, event.Query{Tables: []event.Table{{
		By: []event.Key{{Field: event.DatasetField, Present: true}}, Calculate: []event.Calculation{count}, Limit: 10_000,
	}}})
	if err != nil {
		return nil, err
	}
	all := map[string]int64{}
	for _, g := range res.Tables[0].Groups {
		all[g.Keys[0].String()] = g.Cells[0].Value.Int64()
	}
	made, err := d.cfg.Documents.List(ctx, kindIndex)
	for name := range made {
		all[name] += 0
	}
	return all, err
}

// matching are the indices of an expression.
func (d *Door) matching(ctx context.Context, expr string) (map[string]int64, error) {
	all, err := d.indices(ctx)
	if err != nil {
		return nil, err
	}
	m, err := event.NewMatcher(indexFilter(expr))
	if err != nil {
		return nil, err
	}
	maps.DeleteFunc(all, func(name string, _ int64) bool {
		return !m.Match(&event.Event{Stream: event.NewStream(event.Labels{event.DatasetField: name})})
	})
	return all, nil
}

func missingIndex(name string) *fault {
	return faultf(http.StatusNotFound, "index_not_found_exception", "no such index [%.200s]", name)
}

func (d *Door) getIndex(r *http.Request) (any, error) {
	all, err := d.matching(r.Context(), r.PathValue("index"))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 && !strings.Contains(r.PathValue("index"), "*") {
		return nil, missingIndex(r.PathValue("index"))
	}
	out := map[string]any{}
	for name := range all {
		mappings, err := d.mappings(r.Context(), name)
		if err != nil {
			return nil, err
		}
		out[name] = map[string]any{"aliases": struct{}{}, "mappings": mappings, "settings": indexSettings(name)}
	}
	return out, nil
}

func indexSettings(name string) any {
	return map[string]any{"index": map[string]any{"number_of_shards": "1", "number_of_replicas": "0", "provided_name": name, "uuid": name, "version": map[string]string{"created": "9009000"}}}
}

func (d *Door) makeIndex(r *http.Request) (any, error) {
	name := r.PathValue("index")
	if f := checkNames(name, ""); f != nil {
		return nil, f
	}
	body, err := readKept(r)
	if err != nil {
		return nil, err
	}
	all, err := d.indices(r.Context())
	if err != nil {
		return nil, err
	}
	if _, known := all[name]; known {
		return nil, faultf(http.StatusBadRequest, "resource_already_exists_exception", "index [%s/%s] already exists", name, name)
	}
	if err := d.cfg.Documents.Put(r.Context(), kindIndex, name, body); err != nil {
		return nil, err
	}
	return map[string]any{"acknowledged": true, "shards_acknowledged": true, "index": name}, nil
}

// dropIndex forgets an index without events. Events are deleted by retention
// alone, so that nobody who may send data can take evidence away.
func (d *Door) dropIndex(r *http.Request) (any, error) {
	all, err := d.matching(r.Context(), r.PathValue("index"))
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, missingIndex(r.PathValue("index"))
	}
	for name, n := range all {
		if n > 0 {
			return nil, faultf(http.StatusBadRequest, "unsupported_operation_exception", "index [%s] holds %d events; daytwo deletes events by retention (--event-retention) only", name, n)
		}
	}
	for name := range all {
		if _, err := d.cfg.Documents.Delete(r.Context(), kindIndex, name); err != nil {
			return nil, err
		}
	}
	return map[string]any{"acknowledged": true}, nil
}

func (d *Door) settings(r *http.Request) (any, error) {
	all, err := d.matching(r.Context(), r.PathValue("index"))
	out := map[string]any{}
	for name := range all {
		out[name] = map[string]any{"settings": indexSettings(name)}
	}
	return out, err
}

func (d *Door) stats(r *http.Request) (any, error) {
	all, err := d.matching(r.Context(), r.PathValue("index"))
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	var total int64
	for name, n := range all {
		docs := map[string]any{"docs": map[string]any{"count": n, "deleted": 0}}
		out[name] = map[string]any{"uuid": name, "health": "green", "status": "open", "primaries": docs, "total": docs}
		total += n
	}
	docs := map[string]any{"docs": map[string]any{"count": total, "deleted": 0}}
	return map[string]any{"_shards": shards(), "_all": map[string]any{"primaries": docs, "total": docs}, "indices": out}, nil
}

func (d *Door) catIndices(r *http.Request) (any, error) {
	all, err := d.matching(r.Context(), r.PathValue("index"))
	if err != nil {
		return nil, err
	}
	list := make([]map[string]string, 0, len(all))
	var text strings.Builder
	if flag(r, "v") {
		text.WriteString("health status index uuid pri rep docs.count docs.deleted\n")
	}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		n := strconv.FormatInt(all[name], 10)
		list = append(list, map[string]string{"health": "green", "status": "open", "index": name, "uuid": name, "pri": "1", "rep": "0", "docs.count": n, "docs.deleted": "0"})
		text.WriteString("green open " + name + " " + name + " 1 0 " + n + " 0\n")
	}
	if r.URL.Query().Get("format") == "json" || strings.Contains(r.Header.Get("Accept"), "json") {
		return list, nil
	}
	return reply{http.StatusOK, plainText(text.String())}, nil
}

func (d *Door) resolve(r *http.Request) (any, error) {
	all, err := d.matching(r.Context(), r.PathValue("index"))
	list := []any{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, map[string]any{"name": name, "attributes": []string{"open"}})
	}
	return map[string]any{"indices": list, "aliases": []any{}, "data_streams": []any{}}, err
}

func (d *Door) dataStreams(r *http.Request) (any, error) {
	all, err := d.matching(r.Context(), r.PathValue("index"))
	if err != nil {
		return nil, err
	}
	if name := r.PathValue("index"); len(all) == 0 && name != "" && !strings.Contains(name, "*") {
		return nil, missingIndex(name)
	}
	list := []any{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		list = append(list, map[string]any{"name": name, "timestamp_field": map[string]string{"name": event.TimeField}, "indices": []any{map[string]string{"index_name": name, "index_uuid": name}}, "generation": 1, "status": "GREEN", "template": "", "hidden": false, "system": false})
	}
	return map[string]any{"data_streams": list}, nil
}

// readKept reads a document that is kept as it is.
func readKept(r *http.Request) (json.RawMessage, error) {
	data, err := io.ReadAll(io.LimitReader(r.Body, maxKept+1))
	if err != nil {
		return nil, bodyError(err)
	}
	if len(data) > maxKept {
		return nil, errTooLarge
	}
	m, err := decode(data)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return json.RawMessage(`{}`), nil
	}
	return data, nil
}

func (d *Door) keep(kind string) handler {
	return func(r *http.Request) (any, error) {
		body, err := readKept(r)
		if err != nil {
			return nil, err
		}
		if kind == kindPipeline {
			m, _ := decode(body)
			if steps, _ := m["processors"].([]any); len(steps) > 0 {
				return nil, uncovered("ingest pipeline with processors", r.PathValue("name"))
			}
		}
		if len(r.PathValue("name")) > 255 {
			return nil, illegal("the name is longer than 255 bytes")
		}
		if err := d.cfg.Documents.Put(r.Context(), kind, r.PathValue("name"), body); err != nil {
			return nil, err
		}
		return map[string]any{"acknowledged": true}, nil
	}
}

// kept answers what was kept, in the shape of its kind.
func (d *Door) kept(kind string) handler {
	return func(r *http.Request) (any, error) {
		pattern := r.PathValue("name")
		all, err := d.cfg.Documents.List(r.Context(), kind)
		if err != nil {
			return nil, err
		}
		maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool {
			return pattern != "" && !slices.ContainsFunc(strings.Split(pattern, ","), func(p string) bool { return event.MatchWildcard(p, name) })
		})
		if len(all) == 0 && pattern != "" && !strings.Contains(pattern, "*") {
			if kind == kindLegacy || kind == kindPipeline {
				return reply{http.StatusNotFound, struct{}{}}, nil
			}
			return nil, faultf(http.StatusNotFound, "resource_not_found_exception", "%s matching [%.200s] not found", strings.ReplaceAll(kind, "_", " "), pattern)
		}
		switch kind {
		case kindTemplate, kindComponent:
			list := []any{}
			for _, name := range slices.Sorted(maps.Keys(all)) {
				list = append(list, map[string]any{"name": name, kind: all[name]})
			}
			return map[string]any{kind + "s": list}, nil
		case kindPolicy:
			out := map[string]any{}
			for name, body := range all {
				var policy map[string]any
				_ = json.Unmarshal(body, &policy) // it was JSON when it was kept
				out[name] = map[string]any{"version": 1, "modified_date": d.started.UTC().Format(time.RFC3339), "policy": policy["policy"], "in_use_by": map[string]any{"indices": []string{}, "data_streams": []string{}, "composable_templates": []string{}}}
			}
			return out, nil
		}
		return all, nil
	}
}

func (d *Door) forget(kind string) handler {
	return func(r *http.Request) (any, error) {
		known, err := d.cfg.Documents.Delete(r.Context(), kind, r.PathValue("name"))
		if err != nil {
			return nil, err
		}
		if !known {
			return nil, faultf(http.StatusNotFound, "resource_not_found_exception", "%s [%.200s] missing", strings.ReplaceAll(kind, "_", " "), r.PathValue("name"))
		}
		return map[string]any{"acknowledged": true}, nil
	}
}

// pipelineRuns lets documents pass that name a pipeline without processors.
func (d *Door) pipelineRuns(ctx context.Context, name string) error {
	body, err := d.cfg.Documents.Get(ctx, kindPipeline, name)
	if err == nil && body == nil {
		err = illegal("pipeline with id [%.200s] does not exist", name)
	}
	return err
}
