package elasticsearch

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/logs/record"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// item is one action of a bulk on its way.
type item struct {
	action string
	index  string
	id     string
	own    bool   // the id was given
	steps  string // the ingest pipeline it names
	event  event.Event
	fault  *fault
	seq    int
}

const (
	maxItems = 100_000 // of one bulk
	maxID    = 512
)

// bulk takes NDJSON: a line with the action, and a line with the document. What
// is wrong with one item fails that item alone; an action that cannot be read
// fails the bulk, because what follows cannot be told apart.
func (d *Door) bulk(r *http.Request) (any, error) {
	start := time.Now()
	if name := r.URL.Query().Get("pipeline"); name != "" && name != "_none" {
		if err := d.pipelineRuns(r.Context(), name); err != nil {
			return nil, err
		}
	}
	items, err := d.readBulk(r.Body, r.PathValue("index"), r.URL.Query().Get("op_type"))
	if err != nil {
		d.cfg.Counts.Refused(doorName, "bulk", 1)
		return nil, err
	}
	if len(items) == 0 {
		return nil, faultf(http.StatusBadRequest, "action_request_validation_exception", "Validation Failed: 1: no requests added;")
	}
	if err := d.refuseUnknownPipelines(r.Context(), items); err != nil {
		return nil, err
	}
	if err := d.store(r.Context(), items); err != nil {
		return nil, err
	}
	failed := false
	answers := make([]map[string]any, len(items))
	for i := range items {
		answers[i] = map[string]any{items[i].action: items[i].answer()}
		failed = failed || items[i].fault != nil
	}
	return map[string]any{"took": time.Since(start).Milliseconds(), "errors": failed, "items": answers}, nil
}

// readBulk reads every line once; the documents are flattened as they come.
func (d *Door) readBulk(body io.Reader, index, opType string) ([]item, error) {
	lines := bufio.NewReaderSize(body, 64<<10)
	now := time.Now()
	var items []item
	for n := 1; ; n++ {
		line, err := nextLine(lines)
		if errors.Is(err, io.EOF) {
			return items, nil
		}
		if err != nil {
			return nil, bodyError(err)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		it, err := action(line, index, opType)
		if err != nil {
			return nil, illegal("Malformed action/metadata line [%d]: %v", n, err)
		}
		if len(items) >= maxItems {
			return nil, illegal("a bulk has at most %d items", maxItems)
		}
		if it.action == "delete" {
			it.fault = uncovered("action", "delete")
			items = append(items, it)
			continue
		}
		source, err := nextLine(lines)
		n++
		if errors.Is(err, io.EOF) {
			return nil, illegal("The bulk request must be terminated by a newline [\\n]; the document of item [%d] is missing", len(items)+1)
		}
		if err != nil {
			return nil, bodyError(err)
		}
		if it.action == "update" {
			it.fault = uncovered("action", "update")
		}
		d.fill(&it, source, now)
		items = append(items, it)
	}
}

// nextLine is the next line without its end; the last need not have one.
func nextLine(r *bufio.Reader) ([]byte, error) {
	var whole []byte
	for {
		part, err := r.ReadSlice('\n')
		if err == nil && whole == nil {
			return bytes.Clone(bytes.TrimRight(part, "\r\n")), nil
		}
		whole = append(whole, part...)
		switch {
		case err == nil:
			return bytes.TrimRight(whole, "\r\n"), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(whole) > 0:
			return whole, nil
		default:
			return nil, err
		}
	}
}

// action reads the line before a document. Members that name how older versions
// did things (_type, routing, version) are let pass, and so is what stands beside
// the action.
func action(line []byte, index, opType string) (item, error) {
	var parsed map[string]json.RawMessage
	if err := json.Unmarshal(line, &parsed); err != nil {
		if errors.As(err, new(*json.UnmarshalTypeError)) {
			err = errors.New("expected an object such as {\"index\":{}}")
		}
		return item{}, err
	}
	var it item
	var about json.RawMessage
	for _, name := range []string{"index", "create", "update", "delete"} {
		if body, given := parsed[name]; given {
			if it.action != "" {
				return item{}, errors.New("expected one action, found [" + it.action + "] and [" + name + "]")
			}
			it.action, about = name, body
		}
	}
	if it.action == "" {
		found := strings.Join(slices.Sorted(maps.Keys(parsed)), ", ")
		return item{}, errors.New("unknown action [" + found[:min(len(found), 200)] + "], expected one of [create, delete, index, update]")
	}
	meta := map[string]any{}
	dec := json.NewDecoder(bytes.NewReader(about))
	dec.UseNumber()
	if err := dec.Decode(&meta); err != nil {
		return item{}, errors.New("expected an object after [" + it.action + "]")
	}
	if err := it.about(meta); err != nil {
		return item{}, err
	}
	if it.action == "index" && (opType == "create" || meta["op_type"] == "create") {
		it.action = "create"
	}
	if it.index == "" {
		it.index = index
	}
	it.own = it.id != ""
	return it, nil
}

// about takes what the action says of its document.
func (it *item) about(meta map[string]any) error {
	for name, to := range map[string]*string{"_index": &it.index, "_id": &it.id, "pipeline": &it.steps} {
		switch v := meta[name].(type) {
		case nil:
		case string:
			if *to = v; name == "_id" && v == "" {
				it.fault = illegal("if _id is specified it must not be empty")
			}
		case json.Number:
			if name != "_id" {
				return errors.New("[" + name + "] must be a string")
			}
			*to = v.String()
		default:
			return errors.New("[" + name + "] must be a string")
		}
	}
	return nil
}

// refuseUnknownPipelines fails the items that name an ingest pipeline there is
// none of. Those that there are have no processors.
func (d *Door) refuseUnknownPipelines(ctx context.Context, items []item) error {
	known := map[string]*fault{"": nil, "_none": nil}
	for i := range items {
		it := &items[i]
		f, asked := known[it.steps]
		if !asked {
			err := d.pipelineRuns(ctx, it.steps)
			if err != nil && !isFault(err) {
				return err
			}
			if err != nil {
				f = faultOf(err)
			}
			known[it.steps] = f
		}
		if it.fault == nil && f != nil {
			it.fault = f
		}
	}
	return nil
}

// fill makes the event of a document, or says why it cannot be one.
func (d *Door) fill(it *item, source []byte, now time.Time) {
	if it.id == "" && it.fault == nil {
		it.id = newID()
	}
	if it.fault == nil {
		it.fault = checkNames(it.index, it.id)
	}
	if it.fault != nil {
		return
	}
	fields, notes, err := record.Flatten(source)
	if err != nil {
		it.fault = faultf(http.StatusBadRequest, "document_parsing_exception", "failed to parse: %v", err)
		return
	}
	e, more := record.Event(fields, record.Defaults{Dataset: it.index, Now: now, Keep: true})
	if more.Time == record.TimeUnknown {
		it.fault = faultf(http.StatusBadRequest, "document_parsing_exception", "failed to parse field [@timestamp] of type [date] in document with id '%s'", it.id)
		return
	}
	notes.Add(more)
	notes.Count(func(what string, n int) { d.cfg.Counts.Mended(doorName, what, n) })
	e.Set(record.IDField, event.String(it.id))
	it.event = e
}

// checkNames refuses names that Elasticsearch would.
func checkNames(index, id string) *fault {
	switch {
	case index == "":
		return faultf(http.StatusBadRequest, "action_request_validation_exception", "Validation Failed: 1: index is missing;")
	case len(index) > 255 || strings.ToLower(index) != index || strings.ContainsAny(index, "\\/*?\"<>| ,#:\x00\n") || strings.ContainsRune("_-+", rune(index[0])) && !strings.HasPrefix(index, ".") || index == "." || index == "..":
		return faultf(http.StatusBadRequest, "invalid_index_name_exception", "Invalid index name [%.100s], must be lowercase, without \\, /, *, ?, \", <, >, |, space, comma, # or :, and not start with _, - or +", index)
	case len(id) > maxID:
		return illegal("id [%.40s…] is too long, must be no longer than 512 bytes", id)
	}
	return nil
}

// store appends the items that are whole, in one batch, so that they are durable
// together.
func (d *Door) store(ctx context.Context, items []item) error {
	if slices.ContainsFunc(items, func(it item) bool { return it.own && it.fault == nil }) {
		d.ids.Lock()
		defer d.ids.Unlock()
		if err := d.refuseKnown(ctx, items); err != nil {
			return err
		}
	}
	var events []event.Event
	for i := range items {
		if items[i].fault == nil {
			events = append(events, items[i].event)
		}
	}
	if refused := len(items) - len(events); refused > 0 {
		d.cfg.Counts.Refused(doorName, "item", refused)
	}
	if len(events) == 0 {
		return nil
	}
	if err := d.cfg.Events.Append(ctx, events); err != nil {
		if problem.CodeOf(err) == problem.Exhausted || problem.CodeOf(err) == problem.Unavailable {
			d.cfg.Counts.Refused(doorName, "store", len(events))
		}
		return err
	}
	d.cfg.Counts.Taken(doorName, len(events))
	return nil
}

// refuseKnown fails the items whose id exists in their index, or twice in the
// bulk.
func (d *Door) refuseKnown(ctx context.Context, items []item) error {
	ids := map[string][]event.Value{}
	seen := map[[2]string]bool{}
	for i := range items {
		it := &items[i]
		if !it.own || it.fault != nil {
			continue
		}
		key := [2]string{it.index, it.id}
		if seen[key] {
			it.fault = conflict(it.id)
			continue
		}
		seen[key] = true
		ids[it.index] = append(ids[it.index], event.String(it.id))
	}
	for index, values := range ids {
		for part := range slices.Chunk(values, event.MaxRows) {
			res, err := d.cfg.Events.Query(ctx, event.Query{
				Filter: event.And(event.Equals(event.DatasetField, event.String(index)), event.In(record.IDField, part...)),
				Rows:   &event.Rows{Fields: []string{record.IDField}, Limit: event.MaxRows},
			})
			if err != nil {
				return err
			}
			known := map[string]bool{}
			for i := range res.Rows {
				known[res.Rows[i].Get(record.IDField).Text()] = true
			}
			for i := range items {
				if it := &items[i]; it.own && it.index == index && it.fault == nil && known[it.id] {
					it.fault = conflict(it.id)
				}
			}
		}
	}
	return nil
}

func conflict(id string) *fault {
	return faultf(http.StatusConflict, "version_conflict_engine_exception", "[%.60s]: version conflict, document already exists (daytwo keeps events as they came and does not overwrite them)", id)
}

func (it *item) answer() map[string]any {
	a := map[string]any{"_index": it.index, "_id": it.id}
	if it.fault != nil {
		a["status"] = it.fault.status
		a["error"] = cause{it.fault.kind, it.fault.reason}
		return a
	}
	a["_version"], a["result"], a["_shards"], a["_seq_no"], a["_primary_term"], a["status"] = 1, "created", shards(), it.seq, 1, http.StatusCreated
	return a
}

func shards() map[string]int { return map[string]int{"total": 1, "successful": 1, "failed": 0} }
