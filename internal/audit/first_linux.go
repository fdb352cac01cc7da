package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// InsideVerb is the first argument with which our own executable is to call
// [Inside].
const InsideVerb = "audit-inside"

// insideFailed is the status with which Inside says that it could not do its
// part.
const insideFailed = 125

// runAsFirst runs the program as process 1 of its own namespaces, if it can with
// the root file system read-only, and ends it with SIGTERM.
func (b *sandbox) runAsFirst(ctx context.Context, env []string, fixed int) FirstProcess {
	self, err := os.Executable()
	if err != nil {
		return FirstProcess{Reason: err.Error()}
	}
	f := FirstProcess{}
	for _, mode := range []string{"ro", "rw"} {
		port, err := freePort()
		if err != nil {
			return FirstProcess{Reason: err.Error()}
		}
		args := append([]string{self, InsideVerb, mode, b.temp, b.data, "--"}, b.config.Command...)
		p, err := b.start(ctx, spec{args: args, env: env, port: port, isolate: syscall.CLONE_NEWNS | syscall.CLONE_NEWPID})
		if err != nil {
			return FirstProcess{Reason: fmt.Sprintf("namespaces are not permitted here: %v", err)}
		}
		_, err = p.ready(ctx, b.config.ReadyTimeout, fixed > 0)
		if err != nil {
			p.finish()
			if p.status == insideFailed {
				return FirstProcess{Reason: p.output.lastLine()}
			}
			if errors.Is(err, context.Canceled) || mode == "rw" {
				return FirstProcess{Reason: "it did not become ready there: " + err.Error()}
			}
			f.Refused = err.Error()
			continue
		}
		f.Tested, f.ReadOnly = true, mode == "ro"
		f.Exit, f.Ended = p.terminate(ctx)
		p.finish()
		break
	}
	return f
}

// Inside runs in new mount and process namespaces: it makes the root file
// system read-only except for the folders given, and becomes the program.
// Arguments: ro|rw, folders that stay writable, --, the command. It returns only
// if something failed, with the exit status.
func Inside(args []string) int {
	if err := inside(args); err != nil {
		fmt.Fprintln(os.Stderr, "the namespaces could not be set up:", err)
	}
	return insideFailed
}

func inside(args []string) error {
	var writable []string
	for i, a := range args {
		if a == "--" && i > 0 && i+1 < len(args) {
			writable, args = args[1:i], append(args[:1:1], args[i+1:]...)
			break
		}
	}
	if len(args) < 2 {
		return errors.New("no command")
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	_ = unix.Mount("proc", "/proc", "proc", 0, "") // of our own processes; without it the old one stays
	if args[0] == "ro" {
		if err := readOnly(writable); err != nil {
			return err
		}
	}
	path, err := exec.LookPath(args[1])
	if err != nil {
		return err
	}
	return syscall.Exec(path, args[1:], os.Environ())
}

// readOnly makes every mount read-only but those of the folders given.
func readOnly(but []string) error {
	for _, dir := range but {
		if err := unix.Mount(dir, dir, "", unix.MS_BIND, ""); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	if err := unix.MountSetattr(unix.AT_FDCWD, "/", unix.AT_RECURSIVE, &unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}); err != nil {
		return fmt.Errorf("read-only root: %w", err)
	}
	for _, dir := range but {
		if err := unix.MountSetattr(unix.AT_FDCWD, dir, 0, &unix.MountAttr{Attr_clr: unix.MOUNT_ATTR_RDONLY}); err != nil {
			return fmt.Errorf("%s: %w", dir, err)
		}
	}
	return nil
}

// runTask runs an administrative task beside the service.
func (b *sandbox) runTask(ctx context.Context, env []string) (*Task, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	t := &Task{Command: strings.Join(b.config.Admin, " ")}
	began := time.Now()
	p, err := b.start(ctx, spec{args: b.config.Admin, env: env, port: port})
	if err != nil {
		t.Status, t.Said = 127, err.Error()
		return t, nil //nolint:nilerr // a command that is not there is a finding
	}
	ended := p.wait(ctx, time.Minute)
	t.Took = time.Since(began)
	p.finish()
	t.Status, t.Said = p.status, p.output.lastLine()
	if !ended {
		t.Said = "it did not end within a minute"
	}
	return t, nil
}
