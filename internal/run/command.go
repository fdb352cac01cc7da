package run

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// Command is exec.CommandContext in a process group of its own, with its output
// in the log. When ctx ends, the whole group is asked to end (SIGTERM) and,
// after Config.Grace, killed; the run does not end before. On Linux the command
// itself also dies with daytwo, however that ends. Its secrets belong into
// cmd.Env, and into Mask.
func (t *Task) Command(ctx context.Context, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = t.writer(Out), t.writer(Err)
	cmd.SysProcAttr = ownGroup()
	cmd.Cancel = func() error { return t.x.endGroup(cmd.Process.Pid) }
	// A child that left the group may hold the pipes open for ever.
	cmd.WaitDelay = t.x.e.grace + time.Second
	t.say(Sys, "$ "+strings.Join(append([]string{name}, args...), " "))
	return cmd
}

// endGroup ends the process group of leader.
func (x *execution) endGroup(leader int) error {
	if err := syscall.Kill(-leader, syscall.SIGTERM); err != nil {
		return os.ErrProcessDone
	}
	x.groups.Go(func() {
		// Stop looking as soon as the group is gone: its number may be used anew.
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for end := time.Now().Add(x.e.grace); time.Now().Before(end); <-tick.C {
			if syscall.Kill(-leader, 0) != nil {
				return
			}
		}
		_ = syscall.Kill(-leader, syscall.SIGKILL) // gone, then
	})
	return nil
}
