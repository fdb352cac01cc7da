// Package process lets engines of the benchmark run as processes of their own that
// are told one thing a line and measure what it cost them.
package process

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Reply is what an engine's process says of one command.
type Reply struct {
	Answer string  `json:"answer"`
	Error  string  `json:"error"`
	Wall   float64 `json:"wall"` // milliseconds
	CPU    float64 `json:"cpu"`  // milliseconds of all threads
	Peak   float64 `json:"peak"` // bytes of resident memory since the process began
}

// Engine is a process that answers commands, one line of JSON each way.
type Engine struct {
	Name string
	in   io.WriteCloser
	out  *bufio.Scanner
	cmd  *exec.Cmd
}

// Start starts an engine.
func Start(name string, command ...string) (*Engine, error) {
	cmd := exec.CommandContext(context.Background(), command[0], command[1:]...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 64<<20)
	return &Engine{name, in, lines, cmd}, cmd.Start()
}

// Ask tells the engine something and waits for its reply.
func (e *Engine) Ask(command any) (Reply, error) {
	line, err := json.Marshal(command)
	if err != nil {
		return Reply{}, err
	}
	if _, err := e.in.Write(append(line, '\n')); err != nil {
		return Reply{}, err
	}
	if !e.out.Scan() {
		return Reply{}, fmt.Errorf("%s ended: %v", e.Name, e.out.Err())
	}
	var r Reply
	if err := json.Unmarshal(e.out.Bytes(), &r); err != nil {
		return Reply{}, err
	}
	if r.Error != "" {
		return r, fmt.Errorf("%s: %s", e.Name, r.Error)
	}
	return r, nil
}

// Stop ends the engine in order.
func (e *Engine) Stop() error {
	e.in.Close()
	return e.cmd.Wait()
}

// Measure leaves out of a measurement what is not the engine's.
type Measure struct{ own time.Duration }

// Own does something whose CPU time, on one thread, does not count.
func (m *Measure) Own(do func()) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := cpu(1) // RUSAGE_THREAD
	do()
	m.own += cpu(1) - began
}

// Answer serves commands until in ends.
func Answer(in io.Reader, out io.Writer, answer func(line []byte, m *Measure) (string, error)) error {
	lines := bufio.NewScanner(in)
	encoder := json.NewEncoder(out)
	for lines.Scan() {
		var m Measure
		began, used := time.Now(), cpu(syscall.RUSAGE_SELF)
		text, err := answer(lines.Bytes(), &m)
		r := Reply{Answer: text, Wall: time.Since(began).Seconds() * 1000, CPU: (cpu(syscall.RUSAGE_SELF) - used - m.own).Seconds() * 1000, Peak: peak()}
		if err != nil {
			r.Error = err.Error()
		}
		if err := encoder.Encode(r); err != nil {
			return err
		}
	}
	return lines.Err()
}

func cpu(who int) time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(who, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func peak() float64 {
	b, _ := os.ReadFile("/proc/self/status")
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			kib, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kib * 1024
		}
	}
	return 0
}
