package audit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// measurement is one audit's runs of a program, in order.
type measurement struct {
	*sandbox
	*Measured
	env      []string // of the program, with proxies for the backing services
	backings []*backing
	wrote    *writes
	answers  int // the port that it answers on, if that is fixed; else 0
}

// measure runs the program and measures it. Every run is ended with all that
// stems from it before the next begins.
func measure(ctx context.Context, c Config) (*Measured, error) {
	box, err := newSandbox(c)
	if err != nil {
		return nil, problem.New(problem.Internal, "cannot prepare the runs: %w", err)
	}
	defer box.close()
	m := &measurement{sandbox: box, Measured: &Measured{}}
	for _, e := range c.Env {
		b, err := newBacking(ctx, e)
		if err != nil {
			return nil, problem.New(problem.Internal, "cannot put a proxy before %s: %w", e, err)
		}
		if b != nil {
			defer b.close()
			m.backings = append(m.backings, b)
			e = b.value
		}
		m.env = append(m.env, e)
	}
	if len(c.Build) > 0 {
		c.Log.Info("building twice")
		if m.Builds, err = m.build(ctx); err != nil {
			return nil, err
		}
	}
	m.executable(ctx, m.Measured)
	m.ByArgument = strings.Contains(strings.Join(c.Command, " "), "{port}")
	m.Volume = strings.Contains(strings.Join(slices.Concat(c.Command, c.Env), " "), "{data}")
	m.wrote = m.watchWrites()
	err = m.runs(ctx)
	m.Writes = m.wrote.end()
	if err == nil && m.Ready {
		err = m.runsApart(ctx)
	}
	if err != nil {
		return nil, err
	}
	return m.Measured, ctx.Err()
}

// runs are the runs of which what they write is watched.
func (m *measurement) runs(ctx context.Context) error {
	c := m.config
	var err error
	if m.Port, err = freePort(); err != nil {
		return err
	}
	c.Log.Info("starting it", "port", m.Port)
	first, err := m.start(ctx, spec{args: c.Command, env: m.env, port: m.Port})
	if err != nil {
		if ctx.Err() != nil {
			return err
		}
		m.NotReady = err.Error()
		return nil
	}
	defer first.finish()
	r, err := first.ready(ctx, c.ReadyTimeout, true)
	if err != nil {
		m.wrote.open(first)
		m.NotReady = err.Error()
		if errors.Is(err, errFlood) {
			m.Flooded = err.Error()
		}
		return ctx.Err()
	}
	m.Ready, m.ReadyPath, m.ReadyAfter, m.Listens = true, r.path, r.after, r.listens
	if r.port != m.Port {
		m.answers = r.port
	}
	c.Log.Info("it is ready", "after", r.after.Round(time.Millisecond))
	m.requests(ctx, first, r.port)
	if err := m.replica(ctx, r.port); err != nil {
		return err
	}
	for _, b := range m.backings {
		c.Log.Info("cutting a backing service off", "variable", b.variable)
		m.Backing = append(m.Backing, first.cutOff(ctx, b, r.port))
	}
	if len(c.Admin) > 0 {
		if m.AdminRun, err = m.runTask(ctx, m.env); err != nil {
			return err
		}
	}
	m.wrote.open(first)
	if first.output.flooded() {
		m.Flooded = fmt.Sprintf("%v, %d requests in", errFlood, m.Output.Requests)
	}
	if first.ended() {
		m.Restart.Reason = "it had ended: " + first.output.lastLine()
		m.Drain.Reason = m.Restart.Reason
		return nil
	}
	return m.restart(ctx, first)
}

// requests asks one request after the other, and learns what each adds to the
// output.
func (m *measurement) requests(ctx context.Context, p *process, port int) {
	before := p.output.bytes()
	for until := time.Now().Add(2 * time.Second); m.Output.Requests < 50 && time.Now().Before(until); m.Output.Requests++ {
		code, _, err := get(ctx, port, m.config.Request, requestTime)
		if err != nil {
			break
		}
		m.RequestCode = code
	}
	p.wait(ctx, 200*time.Millisecond) // for what is still in its buffers
	m.Output.Bytes = p.output.bytes()
	if m.Output.Requests > 0 {
		m.Output.PerRequest = float64(m.Output.Bytes-before) / float64(m.Output.Requests)
	}
	if head, err := git(ctx, m.config.Path, "rev-parse", "--verify", "HEAD"); err == nil && len(head) > 7 {
		m.Commit = namesCommit(ctx, p, port, head[:7])
	}
}

// namesCommit finds where the running program names the commit.
func namesCommit(ctx context.Context, p *process, port int, short string) string {
	if p.output.contains(short) {
		return "in its output"
	}
	for _, path := range []string{"/version", "/metrics", "/healthz", "/info", "/actuator/info"} {
		if code, body, err := get(ctx, port, path, requestTime); err == nil && code == 200 && strings.Contains(string(body), short) {
			return path
		}
	}
	return ""
}

// replica runs a second one beside the first, and stops reading its output.
func (m *measurement) replica(ctx context.Context, firstPort int) error {
	var err error
	if m.SecondPort, err = freePort(); err != nil {
		return err
	}
	m.config.Log.Info("starting a second replica", "port", m.SecondPort)
	second, err := m.start(ctx, spec{args: m.config.Command, env: m.env, port: m.SecondPort, second: true})
	if err != nil {
		return err
	}
	defer second.finish()
	if _, err := second.ready(ctx, m.config.ReadyTimeout, false); err != nil {
		m.SecondReason = err.Error()
		m.Slow.Reason = "there was no second replica"
		return ctx.Err()
	}
	m.SecondReady = true
	_, _, errA := get(ctx, firstPort, m.config.Request, requestTime)
	_, _, errB := get(ctx, m.SecondPort, m.config.Request, requestTime)
	if m.BothAnswered = errA == nil && errB == nil; !m.BothAnswered {
		m.SecondReason = errors.Join(errA, errB).Error()
	}
	m.Slow = slowReader(ctx, second, m.SecondPort, m.config.Request)
	m.wrote.open(second)
	return nil
}

// slowReader stops reading a program's output and goes on asking.
func slowReader(ctx context.Context, p *process, port int, path string) SlowReader {
	s := SlowReader{Tested: true}
	began := time.Now()
	if _, _, err := get(ctx, port, path, requestTime); err != nil {
		return SlowReader{Reason: "it does not answer " + path}
	}
	limit := max(2*time.Second, 5*time.Since(began)) // for one request
	filled := p.output.stall()
	for until := time.Now().Add(5 * time.Second); s.Answered < 400 && s.Blocked < 2 && time.Now().Before(until); {
		if _, _, err := get(ctx, port, path, limit); err != nil {
			s.Blocked++
		} else {
			s.Answered++
		}
	}
	s.Filled = filled()
	return s
}

// restart kills the program, starts it again in the same place, and ends that
// one under load.
func (m *measurement) restart(ctx context.Context, first *process) error {
	m.config.Log.Info("killing it and starting it again")
	_ = syscall.Kill(first.pid, syscall.SIGKILL)
	first.finish()
	m.endOrphans()
	again, err := m.start(ctx, spec{args: m.config.Command, env: m.env, port: m.Port})
	if err != nil {
		return err
	}
	defer again.finish()
	m.Restart.Tested = true
	r, err := again.ready(ctx, m.config.ReadyTimeout, true)
	if err != nil {
		m.Restart.Reason = err.Error()
		m.Drain.Reason = "it did not become ready again"
		return ctx.Err()
	}
	m.Restart.Ready, m.Restart.Took = true, r.after
	m.config.Log.Info("ending it under load")
	m.Drain = again.drain(ctx, r.port, m.RequestCode)
	if m.Drain.Ended {
		again.settle(ctx)
	}
	m.Survived = again.finish() + m.endOrphans()
	return nil
}

// settle gives what stems from an ended process a moment to end as well.
func (p *process) settle(ctx context.Context) {
	for range 20 {
		if ctx.Err() != nil || !slices.ContainsFunc(p.tree(), func(x proc) bool { return !x.zombie }) {
			return
		}
		time.Sleep(25 * time.Millisecond)
	}
}

// runsApart are the runs that show nothing of what it writes.
func (m *measurement) runsApart(ctx context.Context) error {
	m.config.Log.Info("running it as process 1 with a read-only root")
	m.First = m.runAsFirst(ctx, m.env, m.answers)
	for i, e := range m.env {
		if i == 8 {
			break
		}
		name, _, _ := strings.Cut(e, "=")
		m.config.Log.Info("starting it without a variable", "variable", name)
		x, err := m.without(ctx, name, slices.Delete(slices.Clone(m.env), i, i+1))
		if err != nil {
			return err
		}
		m.Missing = append(m.Missing, x)
	}
	return ctx.Err()
}

// without starts the program without one of its variables.
func (m *measurement) without(ctx context.Context, name string, env []string) (MissingVariable, error) {
	port, err := freePort()
	if err != nil {
		return MissingVariable{}, err
	}
	p, err := m.start(ctx, spec{args: m.config.Command, env: env, port: port})
	if err != nil {
		return MissingVariable{}, fmt.Errorf("start without %s: %w", name, err)
	}
	limit := min(m.config.ReadyTimeout, max(10*time.Second, 3*m.ReadyAfter))
	_, err = p.ready(ctx, limit, m.answers > 0)
	x := MissingVariable{Name: name, Started: err == nil, Hung: err != nil && !p.ended()}
	p.finish()
	x.Named, x.Said = p.output.names(name) && !x.Hung, p.output.lastLine()
	return x, nil
}
