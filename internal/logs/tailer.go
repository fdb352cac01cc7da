package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/logs/tail"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// TailerConfig says which files of this machine go to a server.
type TailerConfig struct {
	Paths     []string // patterns
	Service   string   // of the lines that do not say theirs
	Host      string   // of this machine; empty: its name
	Dataset   string
	Multiline string // see tail.Config
	FromEnd   bool
	Positions string // file that keeps how far each file was read

	URL    string // of the server
	Token  string // with the scope ingest
	Client *http.Client
	Logger *slog.Logger
}

// Tailer follows files and sends their lines to a server, at least once. While
// the server does not take them, the files are not read further.
type Tailer struct {
	tail *tail.Tailer
	cfg  TailerConfig
	to   string
}

// Validate says what is wrong with c, naming the field and the mend.
func (c TailerConfig) Validate() error {
	if u, err := url.Parse(c.URL); err != nil || u.Host == "" {
		return problem.New(problem.Invalid, "the server's URL %q is not http://host:port", c.URL).WithField("url").WithMend("give the URL that people open daytwo under")
	}
	return c.following().Validate()
}

func (c TailerConfig) following() tail.Config {
	return tail.Config{Paths: c.Paths, Positions: c.Positions, FromEnd: c.FromEnd, Multiline: c.Multiline, Logger: c.Logger}
}

// NewTailer checks the configuration and reads the positions.
func NewTailer(c TailerConfig) (*Tailer, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if c.Host == "" {
		c.Host, _ = os.Hostname() // without one the lines have none
	}
	if c.Client == nil {
		c.Client = &http.Client{Timeout: time.Minute}
	}
	q := url.Values{}
	for name, value := range map[string]string{"service": c.Service, "host": c.Host, "dataset": c.Dataset} {
		if value != "" {
			q.Set(name, value)
		}
	}
	t := &Tailer{cfg: c, to: strings.TrimSuffix(c.URL, "/") + "/ingest/lines?" + q.Encode()}
	following := c.following()
	following.Send = t.send
	var err error
	t.tail, err = tail.New(following)
	return t, err
}

// Run follows the files until ctx ends.
func (t *Tailer) Run(ctx context.Context) error { return t.tail.Run(ctx) }

// send hands lines to the server. What the server calls wrong is left out, or a
// single line would stop its file for ever; everything else is tried again.
func (t *Tailer) send(ctx context.Context, lines []tail.Line) error {
	var b bytes.Buffer
	for _, l := range lines {
		data, err := t.encode(l)
		if err != nil {
			return err
		}
		b.Write(append(data, '\n'))
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.to, &b)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	if t.cfg.Token != "" {
		req.Header.Set("Authorization", "Bearer "+t.cfg.Token)
	}
	res, err := t.cfg.Client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(res.Body, 2000))
	switch {
	case res.StatusCode < 300:
		return nil
	case res.StatusCode == http.StatusBadRequest, res.StatusCode == http.StatusRequestEntityTooLarge:
		t.cfg.Logger.WarnContext(ctx, "lines are left out: the server calls them wrong", "path", lines[0].Path, "lines", len(lines), "answer", string(bytes.TrimSpace(body)))
		return nil
	}
	return fmt.Errorf("the server answered %s: %s", res.Status, bytes.TrimSpace(body))
}

// encode writes a line as the door reads it: a JSON object as it is, with the
// path added, and anything else as a message.
func (t *Tailer) encode(l tail.Line) ([]byte, error) {
	if text := strings.TrimSpace(l.Text); strings.HasPrefix(text, "{") && json.Valid([]byte(text)) {
		path, err := json.Marshal(l.Path)
		if inner := strings.TrimSpace(text[1 : len(text)-1]); err == nil && inner != "" {
			return []byte(`{"log.file.path":` + string(path) + "," + strings.ReplaceAll(inner, "\n", " ") + "}"), nil
		}
	}
	return json.Marshal(map[string]string{"message": l.Text, "log.file.path": l.Path})
}
