// Package configfile reads the files that people keep in an operations directory. Whatever stands under such a name (a pipe
// without a writer, a device without an end, a directory), reading ends, and soon: with the content or with a refusal that
// names the mend.
package configfile

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// MaxBytes is far above any file that people write or that describes the targets of one server.
const MaxBytes = 8 << 20

// Read returns the content of a regular file, or of one that a symbolic link leads to. A refusal is an *fs.PathError as of
// os.ReadFile; what is not about the file's absence or rights is a *problem.Error below it.
func Read(name string) ([]byte, error) {
	// Opening a socket fails without saying why, and opening a device may do something.
	info, err := os.Stat(name)
	if err != nil {
		return nil, err
	}
	if err := regular(name, info); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe that took the file's place must not block either
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return nil, err
	}
	if err := regular(name, info); err != nil {
		return nil, err
	}
	content, err := io.ReadAll(io.LimitReader(f, MaxBytes+1)) // the size of some files is not known before
	if err == nil && len(content) > MaxBytes {
		err = tooLarge(name)
	}
	return content, err
}

// Finding is what a refusal of Read is in a check.
func Finding(name string, err error) problem.Finding {
	f := problem.Finding{File: name, Severity: problem.SeverityError, Mend: "make it a readable file"}
	if refused, ok := errors.AsType[*problem.Error](err); ok {
		f.Mend = refused.Mend
	}
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		err = at.Err
	}
	f.Message = "cannot be read: " + err.Error()
	return f
}

func regular(name string, info fs.FileInfo) error {
	mode := info.Mode()
	if mode.IsRegular() {
		if info.Size() > MaxBytes {
			return tooLarge(name)
		}
		return nil
	}
	what := "something else than a file"
	switch {
	case mode.IsDir():
		what = "a directory"
	case mode&fs.ModeNamedPipe != 0:
		what = "a named pipe"
	case mode&fs.ModeSocket != 0:
		what = "a socket"
	case mode&fs.ModeDevice != 0:
		what = "a device"
	}
	return refuse(name, "put a regular file in its place, or a link to one", "it is %s", what)
}

func tooLarge(name string) error {
	return refuse(name, "split it, or take out what is not configuration", "it is larger than %d MiB, the most daytwo reads", MaxBytes>>20)
}

func refuse(name, mend, format string, args ...any) error {
	return &fs.PathError{Op: "read", Path: name, Err: problem.New(problem.Invalid, format, args...).WithMend("%s", mend)}
}
