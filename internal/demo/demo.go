// Package demo tells the loop as a story on a real failure: it starts the
// platform on a directory of its own, the shop as workloads under generated
// traffic, and a mailbox for the pages; then a bad version goes out, and every
// stage from there to the postmortem is closed by what the platform shows.
package demo

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/daytwo-dev/daytwo/internal/app"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Config is what differs between two demos.
type Config struct {
	Server app.Config // Listen, PublicURL and DataDir are used; the rest is the demo's own
	Auto   bool       // play the user too, and end when the loop has closed
	Fresh  bool       // forget an earlier story in DataDir
	Out    io.Writer  // for the person watching; the server logs to a file in DataDir
}

// marker tells a demo's directory from any other, so that starting over never
// deletes something else.
const marker = ".daytwo-demo"

// Run tells the story. It returns when ctx ends or, with Auto, when the loop
// has closed; an error says which stage did not.
func Run(ctx context.Context, c Config) error {
	if err := prepare(c.Server.DataDir, c.Fresh); err != nil {
		return err
	}
	log, err := os.OpenFile(filepath.Join(c.Server.DataDir, "daytwo.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	defer log.Close()
	d, err := open(ctx, c, slog.New(slog.NewJSONHandler(log, nil)))
	if err != nil {
		return err
	}
	defer d.close()
	asked := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error { return d.app.Run(ctx) })
	work.Go(func() error { return d.mailbox.serveSMTP(ctx, d.smtp) })
	work.Go(func() error { return d.traffic(ctx) })
	work.Go(func() error {
		if err := d.tell(ctx); err != nil {
			return err
		}
		if c.Auto {
			cancel()
		}
		return nil
	})
	if err := work.Wait(); err != nil && !errors.Is(err, context.Canceled) {
		return err
	}
	if c.Auto {
		return asked.Err() // interrupted before the loop closed
	}
	return nil
}

// demo is the running parts.
type demo struct {
	Config
	log     *slog.Logger
	app     *app.App
	mailbox *mailbox
	smtp    net.Listener
	story   *story
	plot    *plot
	api     *api
	shop    atomic.Pointer[string] // URL of the storefront, once it is up
}

// prepare makes dir the demo's, empty if a story in it has ended.
func prepare(dir string, fresh bool) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("data directory: %w", err)
	}
	_, err = os.Stat(filepath.Join(dir, marker))
	if len(entries) > 0 && err != nil {
		return problem.New(problem.Conflict, "%s holds something else than a demo", dir).
			WithMend("give the demo a directory of its own with --data")
	}
	told, err := readProgress(dir)
	if err != nil && !fresh {
		return err
	}
	if len(entries) > 0 && (fresh || told.finished((&plot{}).stages())) {
		if err := os.RemoveAll(dir); err != nil {
			return fmt.Errorf("starting over: %w", err)
		}
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("data directory: %w", err)
	}
	return os.WriteFile(filepath.Join(dir, marker), []byte("a daytwo demo; delete it at will\n"), 0o600)
}

func open(ctx context.Context, c Config, log *slog.Logger) (*demo, error) {
	d := &demo{Config: c, log: log}
	if err := d.open(ctx); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

func (d *demo) open(ctx context.Context) (err error) {
	c := d.Config
	listener, err := app.Listen(ctx, c.Server.Listen)
	if err != nil {
		return err
	}
	defer func() {
		if d.app == nil {
			listener.Close()
		}
	}()
	if d.smtp, err = new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
		return fmt.Errorf("mailbox: %w", err)
	}
	if d.mailbox, err = openMailbox(filepath.Join(c.Server.DataDir, "mailbox.jsonl")); err != nil {
		return err
	}
	server := c.Server
	server.PublicURL = firstOf(server.PublicURL, app.URL(listener))
	server.SMTPURL = "smtp://" + d.smtp.Addr().String()
	server.MailFrom = "daytwo@shop.example"
	server.AllowPrivate = true
	server.AdminToken = firstOf(server.AdminToken, rand.Text())
	server.ConfigDir = filepath.Join(server.DataDir, "operations")
	told, err := readProgress(server.DataDir)
	if err != nil {
		return err
	}
	manifests, err := writeOperations(server.ConfigDir, app.URL(listener), told.StartedAt)
	if err != nil {
		return err
	}
	d.api = &api{base: app.URL(listener), token: server.AdminToken, http: &http.Client{Timeout: 15 * time.Second}}
	d.plot = &plot{api: d.api, mail: d.mailbox.Mail, bad: manifests.bad, shop: manifests.names}
	if d.story, err = openStory(server.DataDir, d.plot.stages(), c.Auto, c.Out); err != nil {
		return err
	}
	d.app, err = app.New(ctx, server, app.Options{Logger: d.log, Listener: listener, Demo: true, Routes: d.routes})
	return err
}

func (d *demo) close() {
	if d.mailbox != nil {
		if err := d.mailbox.Close(); err != nil {
			d.log.Error("closing the mailbox", "error", err)
		}
	}
	if d.smtp != nil {
		d.smtp.Close()
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

// tell waits for the platform, greets the user and walks the story.
func (d *demo) tell(ctx context.Context) error {
	if err := d.awaitReady(ctx); err != nil {
		return err
	}
	if !d.Auto {
		link, err := d.app.SignInLink(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintf(d.Out, guide, link, d.Server.DataDir)
	}
	return d.story.Run(ctx)
}

const guide = `
  Open    %s
          (signs you in as the administrator, once)

  The shop is taking orders. In a moment a new version of checkout goes out,
  and it is bad for some customers. Then:
    1. Home shows the service burning, the incident and who is on call.
    2. Mailbox shows the page that reached Ada by e-mail and webhook.
    3. Open the incident, acknowledge it, look at the change on the graph.
    4. Press “Roll back”, watch the errors end and the incident resolve.
    5. Read the postmortem that was begun for you.

  Ctrl-C stops everything; the same command goes on from there (%s).

`

// awaitReady waits until the server answers that it is ready, printing what it
// is waiting for whenever that changes.
func (d *demo) awaitReady(ctx context.Context) error {
	last := ""
	for {
		err := d.api.call(ctx, http.MethodGet, "/-/ready", nil, nil)
		if err == nil {
			return nil
		}
		if err.Error() != last {
			last = err.Error()
			d.log.Debug("not ready yet", "reason", last)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
