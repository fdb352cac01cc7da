package metrics

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/prometheus/tsdb"
)

// NewSeldom shows the log's filter to its test.
var NewSeldom = newSeldom

// NewRemoteWrite is the receiver of remote write before a database.
func NewRemoteWrite(db *tsdb.DB) (http.Handler, error) {
	registry, logger := prometheus.NewRegistry(), slog.New(slog.DiscardHandler)
	g, err := newGuard(Config{Registerer: registry, Logger: logger})
	if err != nil {
		return nil, err
	}
	whole := newDatabase(g)
	whole.set(db, db)
	to, err := newReceived(whole, registry)
	return newRemoteWrite(to, logger), err
}

// EachSeries shows what is read from a request of remote write to its test: each series in words, and its error if its labels
// or its metadata refer to nothing.
func EachSeries(request string, second bool) (all []string, err error) {
	var of message = writeRequest{}
	if second {
		of = &writeRequest2{}
	}
	err = of.each(request, func(s *sentSeries) error {
		if s.broken() != nil || s.metadata != nil {
			all = append(all, "broken")
			return nil
		}
		all = append(all, InWords(s.sorted().String(), len(s.histograms), len(s.exemplars)))
		for _, one := range s.samples {
			all = append(all, fmt.Sprint(one.start, one.at, one.value))
		}
		return nil
	})
	return all, err
}

// InWords is a series, but for its samples.
func InWords(ls string, histograms, exemplars int) string {
	return fmt.Sprintf("%s %d histograms %d exemplars", ls, histograms, exemplars)
}
