package metrics

import (
	"fmt"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/storage"

	"github.com/daytwo-dev/daytwo/internal/wire"
)

// sentLabels are the labels of a series, or of an exemplar of version 2.0, as they are read.
type sentLabels struct {
	builder      labels.ScratchBuilder // not of all of them if there are too many
	names, bytes int                   // of all
	metric       string
	nameless     bool // one has an empty name

	half    bool // of version 2.0: a name was read and its value was not
	name    string
	unknown error // of version 2.0: the first that is not among the symbols
}

func (l *sentLabels) reset() {
	l.builder.Reset()
	l.names, l.bytes, l.metric, l.nameless, l.half, l.unknown = 0, 0, "", false, false, nil
}

func (l *sentLabels) add(name, value string) {
	l.names++
	l.bytes += len(name) + len(value)
	switch name {
	case model.MetricNameLabel:
		l.metric = value
	case "":
		l.nameless = true
	}
	if !l.tooMuch() {
		l.builder.Add(name, value) // [labels.ScratchBuilder.Labels] copies
	}
}

// tooMuch tells whether there are more labels than a series may have.
func (l *sentLabels) tooMuch() bool { return l.names > maxLabels || l.bytes > maxLabelBytes }

// refusal is the error of too many labels.
func (l *sentLabels) refusal() error {
	return fmt.Errorf("series %.100q: %d labels of %d bytes, at most %d of %d bytes are taken: %w",
		l.metric, l.names, l.bytes, maxLabels, maxLabelBytes, storage.ErrOutOfBounds)
}

// sorted is the labels, which are not too many.
func (l *sentLabels) sorted() labels.Labels {
	l.builder.Sort()
	return l.builder.Labels()
}

// read reads a Label of version 1.0.
func (l *sentLabels) read(label string) error {
	var name, value string
	f := wire.Of(label)
	for f.Next() {
		switch f.Number {
		case labelName:
			name = f.Text()
		case labelValue:
			value = f.Text()
		}
	}
	l.add(name, value)
	return f.Err()
}

// resolve reads the labels_refs of version 2.0, which are the numbers of symbols: of a name, of its value, and so on.
func (l *sentLabels) resolve(refs wire.Numbers, symbols []string) {
	name := l.name
	for refs.Next() {
		symbol, known := "", int(refs.Value) < len(symbols)
		if known {
			symbol = symbols[refs.Value]
		} else if l.unknown == nil {
			l.unknown = fmt.Errorf("symbol %d of a label of series %.100q, of %d symbols: %w", refs.Value, l.metric, len(symbols), errNoLabels)
		}
		if l.half = !l.half; l.half {
			name = symbol
		} else {
			l.add(name, symbol)
		}
	}
	if l.half {
		l.name = name
	}
}

// broken is the error of labels that cannot be resolved.
func (l *sentLabels) broken() error {
	if l.unknown == nil && l.half {
		return fmt.Errorf("the label %.100q of series %.100q has no value: %w", l.name, l.metric, errNoLabels)
	}
	return l.unknown
}
