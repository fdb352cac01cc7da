package logs

import (
	"net"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Listeners are the addresses of doors that cannot share the server's: empty
// ones are off.
type Listeners struct {
	Elasticsearch string // Elasticsearch at its root
}

// Validate says which address is none.
func (a Listeners) Validate() error {
	for name, address := range map[string]string{"elasticsearch-listener": a.Elasticsearch} {
		if address == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(address); err != nil {
			return problem.New(problem.Invalid, "%s: %v", name, err).WithField(name).WithMend("give host:port, for example 127.0.0.1:9200")
		}
	}
	return nil
}
