package elasticsearch

import (
	"encoding/base64"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// scrolls are the searches that go on in parts.
type scrolls struct {
	mu   sync.Mutex
	open map[string]*scroll
}

type scroll struct {
	request *request
	next    *event.Cursor
	done    bool
	total   int64
	keep    time.Duration
	until   time.Time
}

const (
	maxScrolls    = 500
	maxScrollKeep = 24 * time.Hour
)

func (s *scrolls) put(sc *scroll) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for id, other := range s.open {
		if now.After(other.until) {
			delete(s.open, id)
		}
	}
	if len(s.open) >= maxScrolls {
		return "", faultf(http.StatusTooManyRequests, "search_phase_execution_exception", "Trying to create too many scroll contexts. Must be less than or equal to: [%d]", maxScrolls)
	}
	if s.open == nil {
		s.open = map[string]*scroll{}
	}
	id := newID() + newID()
	s.open[id] = sc
	return id, nil
}

func (s *scrolls) take(id string) *scroll {
	s.mu.Lock()
	defer s.mu.Unlock()
	sc := s.open[id]
	if sc == nil || time.Now().After(sc.until) {
		delete(s.open, id)
		return nil
	}
	return sc
}

func (s *scrolls) drop(ids []string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		if id == "_all" {
			n = len(s.open)
			clear(s.open)
			return n
		}
		if s.open[id] != nil {
			delete(s.open, id)
			n++
		}
	}
	return n
}

func keepAlive(s string) (time.Duration, error) {
	d, err := interval(s)
	if err != nil || d <= 0 || d > maxScrollKeep {
		return 0, illegal("[%.40s] is no keep alive between 1s and 24h", s)
	}
	return d, nil
}

func (d *Door) openScroll(r *http.Request, body map[string]any, keep string) (any, error) {
	alive, err := keepAlive(keep)
	if err != nil {
		return nil, err
	}
	s, err := d.readSearch(r, body)
	if err != nil {
		return nil, err
	}
	if s.from > 0 || s.size == 0 {
		return nil, illegal("a scroll needs a [size] and no [from]")
	}
	answer, res, err := d.run(r.Context(), s, flag(r, "rest_total_hits_as_int"), flag(r, "typed_keys"))
	if err != nil {
		return nil, err
	}
	sc := &scroll{request: s, keep: alive, until: time.Now().Add(alive)}
	sc.advance(res)
	sc.total = res.Matched
	if answer["_scroll_id"], err = d.scrolls.put(sc); err != nil {
		return nil, err
	}
	return answer, nil
}

// advance goes behind the rows of an answer.
func (s *scroll) advance(res *event.Result) {
	if len(res.Rows) < s.request.size {
		s.done = true
		return
	}
	c := s.request.rows.CursorOf(&res.Rows[len(res.Rows)-1])
	s.next = &c
}

func (d *Door) scroll(r *http.Request) (any, error) {
	body, err := document(r)
	if err != nil {
		return nil, err
	}
	id, _ := body["scroll_id"].(string)
	for _, other := range []string{r.URL.Query().Get("scroll_id"), r.PathValue("id")} {
		if id == "" {
			id = other
		}
	}
	sc := d.scrolls.take(id)
	if sc == nil {
		return nil, faultf(http.StatusNotFound, "search_context_missing_exception", "No search context found for id [%.40s]", id)
	}
	sc.until = time.Now().Add(sc.keep)
	s := *sc.request
	s.aggs = nil
	var answer map[string]any
	if sc.done {
		s.size, s.rows.Limit = 0, 1
		s.rows.After = nil
	} else {
		s.rows.After = sc.next
	}
	answer, res, err := d.run(r.Context(), &s, flag(r, "rest_total_hits_as_int"), flag(r, "typed_keys"))
	if err != nil {
		return nil, err
	}
	if !sc.done {
		sc.advance(res)
	}
	if total, ok := answer["hits"].(map[string]any)["total"].(map[string]any); ok {
		total["value"] = sc.total
	}
	answer["_scroll_id"] = id
	return answer, nil
}

func (d *Door) endScroll(r *http.Request) (any, error) {
	body, err := document(r)
	if err != nil {
		return nil, err
	}
	ids := stringList(body["scroll_id"])
	if id := r.PathValue("id"); id != "" {
		ids = strings.Split(id, ",")
	}
	return map[string]any{"succeeded": true, "num_freed": d.scrolls.drop(ids)}, nil
}

// A point in time names the indices it is of: events do not change, and a
// search goes on behind the last hit, so that nothing needs to be held.
func pointID(index string) string {
	return base64.RawURLEncoding.EncodeToString([]byte("daytwo-pit:" + index))
}

func indexOfPoint(id string) (string, error) {
	data, err := base64.RawURLEncoding.DecodeString(id)
	index, ok := strings.CutPrefix(string(data), "daytwo-pit:")
	if err != nil || !ok {
		return "", faultf(http.StatusNotFound, "search_context_missing_exception", "No search context found for the point in time")
	}
	return index, nil
}

func (d *Door) openPoint(r *http.Request) (any, error) {
	if _, err := keepAlive(r.URL.Query().Get("keep_alive")); err != nil {
		return nil, err
	}
	if err := d.refuseAbsent(r.Context(), r.PathValue("index"), absenceOf(r)); err != nil {
		return nil, err
	}
	return map[string]any{"id": pointID(r.PathValue("index")), "_shards": map[string]int{"total": 1, "successful": 1, "skipped": 0, "failed": 0}}, nil
}

func (d *Door) closePoint(r *http.Request) (any, error) {
	body, err := document(r)
	if err != nil {
		return nil, err
	}
	id, _ := body["id"].(string)
	if _, err := indexOfPoint(id); err != nil {
		return nil, err
	}
	return map[string]any{"succeeded": true, "num_freed": 1}, nil
}
