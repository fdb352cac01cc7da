package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// client talks to a running server's API.
type client struct {
	base, token string
	http        *http.Client
}

// addClientFlags gives cmd --url and --token; the returned function makes the
// client when the command runs.
func addClientFlags(cmd *cobra.Command) func() (*client, error) {
	base := cmd.PersistentFlags().String("url", "", "server to talk to [DAYTWO_URL] (default http://127.0.0.1:2020)")
	token := cmd.PersistentFlags().String("token", "", "API token [DAYTWO_TOKEN, DAYTWO_ADMIN_TOKEN]")
	return func() (*client, error) {
		c := &client{
			base:  firstOf(*base, os.Getenv("DAYTWO_URL"), "http://127.0.0.1:2020"),
			token: firstOf(*token, os.Getenv("DAYTWO_TOKEN"), os.Getenv("DAYTWO_ADMIN_TOKEN")),
			http:  &http.Client{Timeout: 30 * time.Second},
		}
		u, err := url.Parse(c.base)
		if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
			return nil, usage(fmt.Errorf("server URL %q is not http://host:port", c.base))
		}
		c.base = strings.TrimSuffix(c.base, "/")
		return c, nil
	}
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// call sends body (nil: none) as JSON and decodes the answer into into (nil:
// ignored). A problem document comes back as a *problem.Error.
func (c *client) call(ctx context.Context, method, path string, body, into any) error {
	var reader io.Reader
	if body != nil {
		data, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, reader)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return problem.New(problem.Unavailable, "no answer from %s: %w", c.base, rootCause(err)).
			WithMend("is the server running there? give another with --url or DAYTWO_URL")
	}
	defer res.Body.Close()
	if res.StatusCode >= 400 {
		return decodeProblem(res)
	}
	if into == nil {
		return nil
	}
	return json.NewDecoder(res.Body).Decode(into)
}

func (c *client) get(ctx context.Context, path string, into any) error {
	return c.call(ctx, http.MethodGet, path, nil, into)
}

func (c *client) post(ctx context.Context, path string, body, into any) error {
	if body == nil {
		body = struct{}{}
	}
	return c.call(ctx, http.MethodPost, path, body, into)
}

func decodeProblem(res *http.Response) error {
	var doc struct {
		Code, Detail, Title, Field, Mend string
		Error                            string // of Prometheus's API
		Errors                           []struct{ Field, Message, Mend string }
	}
	data, _ := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err := json.Unmarshal(data, &doc); err != nil || firstOf(doc.Detail, doc.Title, doc.Error) == "" {
		return fmt.Errorf("the server answered %s", res.Status)
	}
	message := firstOf(doc.Detail, doc.Title, doc.Error)
	for _, e := range doc.Errors {
		message += fmt.Sprintf("\n  %s: %s", e.Field, e.Message)
	}
	p := problem.New(problem.Code(doc.Code), "%s", message).WithField(doc.Field)
	if doc.Code == string(problem.Unauthenticated) && doc.Mend == "" {
		doc.Mend = "give a token with --token or DAYTWO_TOKEN"
	}
	return p.WithMend("%s", doc.Mend)
}

// rootCause drops the "Get \"http://…\":" wrapping that net/http adds.
func rootCause(err error) error {
	if u := new(url.Error); errors.As(err, &u) {
		return u.Err
	}
	return err
}
