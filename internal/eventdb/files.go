package eventdb

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// files is the part of a file system that the engine uses. The real one is
// osFiles; tests put one in its place that fails and fills up.
type files interface {
	Create(path string) (file, error) // truncates
	Open(path string) (file, error)   // to read
	Rename(from, to string) error
	Link(from, to string) error
	Remove(path string) error
	List(dir string) ([]string, error) // names, sorted
	MakeDir(dir string) error
	SyncDir(dir string) error
}

type file interface {
	io.ReaderAt
	io.Writer
	io.Closer
	Sync() error
	Truncate(size int64) error
	Size() (int64, error)
}

type osFiles struct{}

type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

// Truncate also takes the place of writing back.
func (f osFile) Truncate(size int64) error {
	if err := f.File.Truncate(size); err != nil {
		return err
	}
	_, err := f.Seek(size, io.SeekStart)
	return err
}

func (osFiles) Create(path string) (file, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o640)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osFiles) Open(path string) (file, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osFiles) Rename(from, to string) error { return os.Rename(from, to) }
func (osFiles) Link(from, to string) error   { return os.Link(from, to) }
func (osFiles) Remove(path string) error     { return os.Remove(path) }
func (osFiles) MakeDir(dir string) error     { return os.MkdirAll(dir, 0o750) }

func (osFiles) List(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(entries))
	for _, e := range entries {
		if !e.IsDir() {
			names = append(names, e.Name())
		}
	}
	return names, nil
}

func (osFiles) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// writeWhole makes a file appear with all of its content or not at all.
func writeWhole(fsys files, path string, content []byte) error {
	dir, temp := filepath.Dir(path), path+".tmp"
	f, err := fsys.Create(temp)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = fsys.Rename(temp, path)
	}
	if err != nil {
		return errors.Join(err, ignoreMissing(fsys.Remove(temp)))
	}
	return fsys.SyncDir(dir)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// readWhole reads a file up to a limit.
func readWhole(fsys files, path string, limit int64) ([]byte, error) {
	f, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size, err := f.Size()
	if err != nil {
		return nil, err
	}
	if size > limit {
		return nil, errDamaged("%s has %d bytes", filepath.Base(path), size)
	}
	b := make([]byte, size)
	if _, err := f.ReadAt(b, 0); err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	return b, nil
}

// writeFailed says of a failed write what people can do, and is Unavailable:
// who sends events sends them again later.
func writeFailed(what string, err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return problem.New(problem.Unavailable, "events cannot be stored: the disk is full (%s: %w)", what, err).
			WithMend("free some space or shorten the retention of events; writing goes on by itself then")
	}
	return problem.New(problem.Unavailable, "events cannot be stored: %s: %w", what, err).
		WithMend("look at the disk and the rights of the data directory; writing goes on by itself once it works")
}

// errDamaged says that stored bytes are not what was written.
func errDamaged(format string, args ...any) error {
	return problem.New(problem.Internal, "damaged: "+format, args...)
}
