package logs

import (
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// readBody reads the body of a request to a door, within maxBody before and
// after its compression is taken off.
func readBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.Method != http.MethodPost && r.Method != http.MethodPut {
		return nil, errMethod
	}
	raw := http.MaxBytesReader(w, r.Body, maxBody)
	var body io.Reader = raw
	var err error
	switch encoding := strings.ToLower(r.Header.Get("Content-Encoding")); encoding {
	case "", "identity", "snappy": // Loki's protobuf is snappy's block format, whatever the header says
	case "gzip":
		body, err = gzip.NewReader(raw)
	case "deflate":
		body, err = zlib.NewReader(raw)
	default:
		return nil, problem.New(problem.Invalid, "the content encoding %.40q is not covered", encoding).WithMend("use gzip, deflate or none")
	}
	if err != nil {
		return nil, problem.New(problem.Invalid, "the body is not compressed as its header says: %w", err)
	}
	data, err := io.ReadAll(io.LimitReader(body, maxBody+1))
	if errors.As(err, new(*http.MaxBytesError)) || len(data) > maxBody {
		return nil, problem.New(problem.TooLarge, "the body is larger than %d MiB", maxBody>>20).WithMend("send smaller batches")
	}
	if err != nil {
		return nil, problem.New(problem.Invalid, "the body cannot be read: %w", err)
	}
	return data, nil
}
