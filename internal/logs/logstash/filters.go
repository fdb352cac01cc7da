package logstash

// filters are the filter plugins by name.
var filters = map[string]func(*options) filter{
	"cidr":        newCIDR,
	"clone":       newClone,
	"csv":         newCSV,
	"date":        newDate,
	"de_dot":      newDeDot,
	"dissect":     newDissect,
	"drop":        newDrop,
	"elapsed":     newElapsed,
	"fingerprint": newFingerprint,
	"geoip":       newGeoIP,
	"grok":        newGrok,
	"json":        newJSON,
	"kv":          newKV,
	"metrics":     newMetrics,
	"mutate":      newMutate,
	"prune":       newPrune,
	"split":       newSplit,
	"syslog_pri":  newSyslogPri,
	"throttle":    newThrottle,
	"translate":   newTranslate,
	"truncate":    newTruncate,
	"urldecode":   newURLDecode,
	"useragent":   newUserAgent,
	"uuid":        newUUID,
}
