package stability

import (
	"context"
	"net/http"
	"strconv"
	"strings"
)

// Priority says which calls to give up first when there is too much to do.
type Priority int8

// The priorities there are. Calls are Normal unless [WithPriority] says else.
const (
	Sheddable Priority = iota - 1 // may be refused at any time: prefetching, crawlers, batch work
	Normal
	Critical // what must work while everything else is refused
)

func (p Priority) String() string {
	switch {
	case p < Normal:
		return "sheddable"
	case p > Normal:
		return "critical"
	}
	return "normal"
}

type priorityKey struct{}

// WithPriority gives the calls of ctx a priority. [Handler] does it for
// requests, and [Transport] passes it on.
func WithPriority(ctx context.Context, p Priority) context.Context {
	return context.WithValue(ctx, priorityKey{}, min(max(p, Sheddable), Critical))
}

// PriorityOf is the priority of the calls of ctx.
func PriorityOf(ctx context.Context) Priority {
	p, _ := ctx.Value(priorityKey{}).(Priority)
	return p
}

// Priorities travel as the urgency of RFC 9218: 0 is the most urgent, 3 the
// default, 7 the least.
const priorityHeader = "Priority"

func priorityOfHeader(h http.Header) Priority {
	for item := range strings.SplitSeq(h.Get(priorityHeader), ",") {
		value, ok := strings.CutPrefix(strings.TrimSpace(item), "u=")
		if !ok {
			continue
		}
		switch u, err := strconv.Atoi(value); {
		case err != nil || u < 0 || u > 7:
		case u < 3:
			return Critical
		case u > 4:
			return Sheddable
		}
	}
	return Normal
}

func setPriorityHeader(h http.Header, p Priority) {
	switch p {
	case Critical:
		h.Set(priorityHeader, "u=1")
	case Sheddable:
		h.Set(priorityHeader, "u=6")
	}
}
