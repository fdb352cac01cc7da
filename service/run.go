package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// Setup builds the program: it opens and attaches resources and registers
// routes and tasks. Then the service listens.
type Setup[C any] func(ctx context.Context, s *Service, config C) error

// Process is what a program gets from its surroundings.
type Process struct {
	Args   []string                    // without the program's name
	Lookup func(string) (string, bool) // environment
	Stdout io.Writer                   // logs, and the answers to --help and --version
	Ready  func(addr string)           // optional; told the address once the service answers there
}

// OSProcess is the process we are.
func OSProcess() Process {
	return Process{Args: os.Args[1:], Lookup: os.LookupEnv, Stdout: os.Stdout}
}

// UsageError is a wrong argument or configuration; the program cannot start
// until a person mends it.
type UsageError struct{ Err error }

func (e *UsageError) Error() string { return e.Err.Error() }
func (e *UsageError) Unwrap() error { return e.Err }

// ExitCode is 0 for nil, 2 for a [*UsageError], else 1.
func ExitCode(err error) int {
	switch {
	case err == nil:
		return 0
	case errors.As(err, new(*UsageError)):
		return 2
	}
	return 1
}

// Main runs the service as the whole program until SIGTERM or an interrupt,
// and exits. A second signal ends it at once.
func Main[C any](name string, setup Setup[C]) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	err := Run(ctx, OSProcess(), name, setup)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	}
	os.Exit(ExitCode(err))
}

// Run runs the service until ctx ends and returns nil if nothing was lost.
func Run[C any](ctx context.Context, p Process, name string, setup Setup[C]) error {
	var st settings
	var config C
	all, err := allVariables(&config, &st)
	if err != nil {
		return fmt.Errorf("service %s: %w", name, err)
	}
	if len(p.Args) > 0 {
		return answer(p, name, all)
	}
	if err := errors.Join(Load(&st, p.Lookup), Load(&config, p.Lookup)); err != nil {
		return &UsageError{err}
	}

	log := slog.New(logHandler{slog.NewJSONHandler(p.Stdout, &slog.HandlerOptions{Level: st.LogLevel})}).
		With("service", name)
	s := newService(name, st, log)
	shown := make([]any, 0, len(all))
	for _, x := range all {
		shown = append(shown, slog.String(x.Name, x.shown()))
	}
	log.Info("starting", "version", s.Version(), slog.Group("config", shown...))

	if err := setup(ctx, s, config); err != nil {
		return errors.Join(fmt.Errorf("start: %w", err), s.close())
	}
	ready := p.Ready
	if ready == nil {
		ready = func(string) {}
	}
	if err := s.serve(ctx, ready); err != nil {
		return err
	}
	log.Info("stopped")
	return nil
}

// allVariables lists the program's own variables and those of every service
// that it does not declare itself.
func allVariables(config any, st *settings) ([]Variable, error) {
	own, err := Variables(config)
	if err != nil {
		return nil, err
	}
	declared := map[string]bool{}
	for _, x := range own {
		declared[x.Name] = true
	}
	common, err := Variables(st)
	for _, x := range common {
		if !declared[x.Name] {
			own = append(own, x)
		}
	}
	return own, err
}

func answer(p Process, name string, all []Variable) error {
	switch p.Args[0] {
	case "--help", "-h", "help":
		printHelp(p.Stdout, name, all)
	case "--version":
		fmt.Fprintln(p.Stdout, name, (&Service{}).Version())
	default:
		return &UsageError{fmt.Errorf("unknown argument %q; %s is configured by its environment, see --help", p.Args[0], name)}
	}
	return nil
}
