package record

import (
	"sort"
	"strings"
	"sync"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// levels are the spellings of severities: words, the numbers of syslog (0 to 7) and those of pino and bunyan (10 to 60).
var levels = map[string]string{
	"trace": "trace", "10": "trace", "finest": "trace", "finer": "trace", "verbose": "trace",
	"debug": "debug", "20": "debug", "dbg": "debug", "fine": "debug", "d": "debug", "7": "debug",
	"info": "info", "30": "info", "information": "info", "informational": "info", "notice": "info", "log": "info", "i": "info", "6": "info", "5": "info", "config": "info",
	"warn": "warn", "40": "warn", "warning": "warn", "w": "warn", "4": "warn",
	"error": "error", "50": "error", "err": "error", "severe": "error", "failure": "error", "e": "error", "3": "error",
	"fatal": "fatal", "60": "fatal", "critical": "fatal", "crit": "fatal", "alert": "fatal", "emerg": "fatal", "emergency": "fatal", "panic": "fatal", "f": "fatal", "2": "fatal", "1": "fatal", "0": "fatal",
}

// Level is a severity in the spelling of event.LevelField; an unknown one in
// lower case.
func Level(s string) string {
	s = strings.ToLower(strings.TrimSpace(s))
	if known, ok := levels[s]; ok {
		return known
	}
	for name, known := range map[string]string{"trace": "trace", "debug": "debug", "info": "info", "warn": "warn", "error": "error", "fatal": "fatal"} {
		if rest, ok := strings.CutPrefix(s, name); ok && len(rest) <= 2 && strings.Trim(rest, "0123456789") == "" {
			return known // OpenTelemetry's ERROR2
		}
	}
	return s
}

// spellings are the other way round: what Level reads as each severity.
var spellings = sync.OnceValue(func() map[string][]event.Value {
	words := map[string][]string{}
	for s, level := range levels {
		words[level] = append(words[level], s)
	}
	out := map[string][]event.Value{}
	for level, list := range words {
		sort.Strings(list)
		for _, s := range list {
			out[level] = append(out[level], event.String(s))
		}
		for _, n := range "123456789" { // OpenTelemetry's ERROR2
			out[level] = append(out[level], event.String(level+string(n)))
		}
	}
	return out
})

// AnySpelling is f with every condition that the level equals one of the
// severities (trace, debug, info, warn, error, fatal) held by all the ways to
// write it. Documents keep the level as it was given, and are shown with the one
// spelling: what is shown is found. Any other level is found in any case.
func AnySpelling(f event.Filter) event.Filter {
	if len(f.Of) > 0 {
		of := make([]event.Filter, len(f.Of))
		for i := range f.Of {
			of[i] = AnySpelling(f.Of[i])
		}
		f.Of = of
		return f
	}
	if f.Field != event.LevelField || f.Op != event.OpEquals && f.Op != event.OpIn {
		return f
	}
	var values []event.Value
	for _, v := range f.Values {
		if all := spellings()[strings.ToLower(v.Text())]; all != nil {
			values = append(values, all...)
			continue
		}
		values = append(values, v)
	}
	return event.In(event.LevelField, values...).AnyCase()
}

// SyslogLevel is the severity of RFC 5424, 0 to 7.
func SyslogLevel(severity int) string {
	return [...]string{"fatal", "fatal", "fatal", "error", "warn", "info", "info", "debug"}[severity&7]
}
