package logstash

import "strings"

// priorityNames is where the two parts of a syslog priority go, and what they are called.
type priorityNames struct {
	severities, facilities           []string // nil: they are not called anything
	severity, facility               Ref      // of the numbers
	severityCalled, facilityIsCalled Ref
}

// What the input calls severities and facilities; the filter has the same in lower case, and calls one facility otherwise.
var (
	severityLabels = []string{"Emergency", "Alert", "Critical", "Error", "Warning", "Notice", "Informational", "Debug"}
	facilityLabels = []string{"kernel", "user-level", "mail", "system", "security/authorization", "syslogd", "line printer", "network news", "UUCP", "clock", "security/authorization", "FTP", "NTP", "log audit", "log alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}
)

// priorityNames reads the settings that the input and the filter share. The names of the fields are the old ones, of the numbers and of
// what they are called; those of the Elastic Common Schema are the same for both.
func (o *options) priorityNames(severities, facilities []string, severity, facility, severityCalled, facilityIsCalled string) priorityNames {
	if o.compatible() {
		severity, facility = "[log][syslog][severity][code]", "[log][syslog][facility][code]"
		severityCalled, facilityIsCalled = "[log][syslog][severity][name]", "[log][syslog][facility][name]"
	}
	n := priorityNames{o.texts("severity_labels"), o.texts("facility_labels"), parseRef(severity), parseRef(facility), parseRef(severityCalled), parseRef(facilityIsCalled)}
	if n.severities == nil {
		n.severities = severities
	}
	if n.facilities == nil {
		n.facilities = facilities
	}
	if !o.bool("use_labels", true) {
		n.severities, n.facilities = nil, nil
	}
	return n
}

// set writes the parts of a priority.
func (n *priorityNames) set(e *Event, priority int64) {
	severity, facility := priority&7, priority>>3
	e.set(n.severity, severity)
	e.set(n.facility, facility)
	if int(severity) < len(n.severities) {
		e.set(n.severityCalled, n.severities[severity])
	}
	if int(facility) < len(n.facilities) {
		e.set(n.facilityIsCalled, n.facilities[facility])
	}
}

// newSyslogPri takes the priority of a syslog message apart. Without one a message is a user's notice, 13, as RFC 3164 has it.
func newSyslogPri(o *options) filter {
	field := "syslog_pri"
	if o.compatible() {
		field = "[log][syslog][priority]"
	}
	severities, facilities := lowered(severityLabels), lowered(facilityLabels)
	facilities[3] = "daemon"
	names := o.priorityNames(severities, facilities, "syslog_severity_code", "syslog_facility_code", "syslog_severity", "syslog_facility")
	source := o.ref("syslog_pri_field_name", field)
	return filterFunc(func(e *Event, _ func(*Event)) bool {
		priority := int64(13)
		if v, ok := e.get(source); ok && v != nil {
			if list, isList := v.([]any); isList && len(list) > 0 {
				v = list[0]
			}
			_, priority = leadingNumber(text(v))
		}
		if priority < 0 || priority > 1<<16 {
			return false
		}
		names.set(e, priority)
		return true
	})
}

func lowered(labels []string) []string {
	out := make([]string, len(labels))
	for i, l := range labels {
		out[i] = strings.ToLower(l)
	}
	return out
}
