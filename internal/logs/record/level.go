package record

import "strings"

// levels are the spellings of severities.
var levels = map[string]string{
	"trace": "trace", "finest": "trace", "finer": "trace", "verbose": "trace",
	"debug": "debug", "dbg": "debug", "fine": "debug", "d": "debug", "7": "debug",
	"info": "info", "information": "info", "informational": "info", "notice": "info", "log": "info", "i": "info", "6": "info", "5": "info", "config": "info",
	"warn": "warn", "warning": "warn", "w": "warn", "4": "warn",
	"error": "error", "err": "error", "severe": "error", "failure": "error", "e": "error", "3": "error",
	"fatal": "fatal", "critical": "fatal", "crit": "fatal", "alert": "fatal", "emerg": "fatal", "emergency": "fatal", "panic": "fatal", "f": "fatal", "2": "fatal", "1": "fatal", "0": "fatal",
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

// SyslogLevel is the severity of RFC 5424, 0 to 7.
func SyslogLevel(severity int) string {
	return [...]string{"fatal", "fatal", "fatal", "error", "warn", "info", "info", "debug"}[severity&7]
}
