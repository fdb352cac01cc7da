package service_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/daytwo-dev/daytwo/service"
)

// TestCommandIsAProcessOfItsOwn: the same configuration, resources closed
// again, and no port.
func TestCommandIsAProcessOfItsOwn(t *testing.T) {
	type config struct {
		Key string `env:"KEY,required" help:"for the door"`
	}
	closed := false
	var out bytes.Buffer
	run := func(env string, args ...string) error {
		p := service.Process{Args: args, Stdout: &out, Lookup: func(k string) (string, bool) { return env, k == "KEY" }}
		return service.Run(t.Context(), p, "shop", func(context.Context, *service.Service, config) error {
			return errors.New("a command does not set the service up")
		}, service.Command[config]{Name: "migrate", Help: "changes the schema", Run: func(_ context.Context, s *service.Service, c config, args []string) error {
			s.Attach("database", service.Resource{Close: func() error { closed = true; return nil }})
			fmt.Fprintln(&out, c.Key, args)
			return nil
		}})
	}
	if err := run("k", "migrate", "up"); err != nil || out.String() != "k [up]\n" || !closed {
		t.Errorf("%v %q, closed: %v", err, out.String(), closed)
	}
	if err := run("", "migrate"); service.ExitCode(err) != 2 {
		t.Errorf("without its configuration: %v", err)
	}
	if err := run("k", "--help"); err != nil || !strings.Contains(strings.Join(strings.Fields(out.String()), " "), "Commands: migrate changes the schema") {
		t.Errorf("%v\n%s", err, out.String())
	}
}
