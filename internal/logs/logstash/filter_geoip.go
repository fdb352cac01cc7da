package logstash

import "github.com/daytwo-dev/daytwo/internal/problem"

// newGeoIP takes the settings of geoip. There is no database of places here, and
// events get what Logstash gives them without one: the tag of a failed lookup.
func newGeoIP(o *options) filter {
	o.require("source", `"[source][ip]"`)
	tags := o.templates("tag_on_failure")
	if !o.has("tag_on_failure") {
		tags = []*template{o.templateOf("_geoip_lookup_failure", "")}
	}
	o.ignore("source", "target", "database", "default_database_type", "fields", "cache_size", "ecs_compatibility")
	o.finding(o.plugin.Pos, problem.SeverityWarning, "geoip finds no place: daytwo has no database of places, and events get the tag of a failed lookup",
		"leave it out, or look places up where the events are read")
	return filterFunc(func(e *Event, _ func(*Event)) bool {
		for _, t := range tags {
			e.tag(t.fill(e))
		}
		return false
	})
}
