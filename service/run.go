package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// Setup builds the program: it opens and attaches resources and registers
// routes and tasks. Then the service listens.
type Setup[C any] func(ctx context.Context, s *Service, config C) error

// Command is an administrative task of the program, run as a process of its
// own: `greeter NAME ARGUMENTS` has the configuration of the service and may
// attach resources, but opens no port. Its output goes to standard output.
type Command[C any] struct {
	Name, Help string
	Run        func(ctx context.Context, s *Service, config C, args []string) error
}

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
func Main[C any](name string, setup Setup[C], commands ...Command[C]) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	err := Run(ctx, OSProcess(), name, setup, commands...)
	if err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
	}
	os.Exit(ExitCode(err))
}

// Run runs the service until ctx ends and returns nil if nothing was lost. With
// arguments it answers them, or runs one of the commands.
func Run[C any](ctx context.Context, p Process, name string, setup Setup[C], commands ...Command[C]) error {
	var st settings
	var config C
	all, err := allVariables(&config, &st)
	if err != nil {
		return fmt.Errorf("service %s: %w", name, err)
	}
	var command *Command[C]
	if len(p.Args) > 0 {
		i := slices.IndexFunc(commands, func(c Command[C]) bool { return c.Name == p.Args[0] })
		if i < 0 {
			helps := make([][2]string, len(commands))
			for i, c := range commands {
				helps[i] = [2]string{c.Name, c.Help}
			}
			return answer(p, name, all, helps)
		}
		command = &commands[i]
	}
	if err := errors.Join(Load(&st, p.Lookup), Load(&config, p.Lookup)); err != nil {
		return &UsageError{err}
	}

	log := slog.New(logHandler{slog.NewJSONHandler(p.Stdout, &slog.HandlerOptions{Level: st.LogLevel})}).
		With("service", name)
	s := newService(name, st, log)
	if command != nil {
		s.log = slog.New(logHandler{slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: st.LogLevel})}).With("service", name, "command", command.Name)
		return errors.Join(command.Run(ctx, s, config, p.Args[1:]), s.close())
	}
	shown := make([]any, 0, len(all))
	for _, x := range all {
		shown = append(shown, slog.String(x.Name, x.shown()))
	}
	log.Info("starting", "version", s.Version(), "revision", Revision(), slog.Group("config", shown...))

	if err := setup(ctx, s, config); err != nil {
		return errors.Join(fmt.Errorf("start: %w", err), s.close())
	}
	if err := s.open(ctx); err != nil {
		return errors.Join(err, s.close())
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

func answer(p Process, name string, all []Variable, commands [][2]string) error {
	switch p.Args[0] {
	case "--help", "-h", "help":
		printHelp(p.Stdout, name, all, commands)
	case "--version":
		fmt.Fprintln(p.Stdout, strings.TrimSpace(name+" "+(&Service{}).Version()+" "+Revision()))
	default:
		return &UsageError{fmt.Errorf("unknown argument %q; %s is configured by its environment, see --help", p.Args[0], name)}
	}
	return nil
}
