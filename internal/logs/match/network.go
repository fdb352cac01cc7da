package match

import (
	"net/netip"
	"strconv"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
)

// Network asks for the IPv4 addresses of a network written as 10.0.0.0/8, and for
// that text itself; false if the text is no such network.
func Network(field, text string) (event.Filter, bool) {
	if !strings.Contains(text, "/") {
		return event.Filter{}, false
	}
	net, err := netip.ParsePrefix(text)
	if err != nil || !net.Addr().Is4() {
		return event.Filter{}, false
	}
	from, bits := net.Masked().Addr().As4(), net.Bits()
	parts := make([]string, 4)
	for i, octet := range from {
		switch free := min(8, max(0, 8*(i+1)-bits)); free {
		case 0:
			parts[i] = strconv.Itoa(int(octet))
		case 8:
			parts[i] = `\d{1,3}`
		default:
			some := make([]string, 1<<free)
			for j := range some {
				some[j] = strconv.Itoa(int(octet) + j)
			}
			parts[i] = "(?:" + strings.Join(some, "|") + ")"
		}
	}
	return event.Or(event.Equals(field, event.String(text)), event.Regexp(field, "^"+strings.Join(parts, `\.`)+"$")), true
}
