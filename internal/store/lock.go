package store

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/gofrs/flock"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// lockDir makes dir if need be and takes it for this process until the lock is
// freed or the process dies, however it dies. The file "lock" names the holder.
func lockDir(dir string) (*flock.Flock, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, dirProblem(dir, err)
	}
	path := filepath.Join(dir, "lock")
	lock := flock.New(path, flock.SetPermissions(0o600))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, dirProblem(dir, err)
	}
	if !locked {
		return nil, problem.New(problem.Conflict, "the data directory %s is in use by %s", dir, holder(path)).
			WithMend("stop that process, or use another data directory")
	}
	// Writing needs room on the disk, which the lock itself does not.
	if err := os.WriteFile(path, []byte(strconv.Itoa(os.Getpid())+"\n"), 0o600); err != nil {
		return nil, errors.Join(dirProblem(dir, err), lock.Unlock())
	}
	return lock, nil
}

func holder(path string) string {
	b, err := os.ReadFile(path)
	pid := strings.TrimSpace(string(b))
	if err != nil || pid == "" {
		return "another process"
	}
	return fmt.Sprintf("process %s", pid)
}

// dirProblem says what is wrong with a directory daytwo needs to write in.
func dirProblem(dir string, err error) error {
	if p := fileProblem(dir, err); p != nil {
		return p
	}
	if errors.Is(err, syscall.ENOTDIR) {
		return problem.New(problem.Invalid, "%s is not a directory: %w", dir, err).
			WithMend("choose another data directory")
	}
	return problem.New(problem.Unavailable, "the directory %s cannot be used: %w", dir, err).
		WithMend("check the path and its owner, or choose another directory")
}
