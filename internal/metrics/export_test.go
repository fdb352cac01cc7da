package metrics

import "github.com/prometheus/prometheus/model/labels"

// NewSeldom shows the log's filter to its test.
var NewSeldom = newSeldom

// EachSeries shows what is read from a WriteRequest to its test.
func EachSeries(request string, take func(ls labels.Labels, at []int64, values []float64, others int)) error {
	return eachSeries(request, func(s *sentSeries) error {
		var at []int64
		var values []float64
		for _, one := range s.samples {
			at, values = append(at, one.at), append(values, one.value)
		}
		take(s.labels.Labels(), at, values, len(s.histograms)+len(s.exemplars))
		return nil
	})
}
