package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/daytwo-dev/daytwo/internal/event"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Blobs are files by key in one directory: artifacts, logs, profiles. Keys are
// slash-separated names of letters, digits and . _ - = @ + that do not begin
// with a dot, so they stay inside it.
type Blobs struct {
	root *os.Root
}

// partial is where blobs are written before they get their name; no key can
// name it, because no part of a key starts with a dot.
const partial = ".partial"

// NewBlobs opens the directory, making it if need be, and clears away what an
// earlier process left half written: one Blobs a directory.
func NewBlobs(dir string) (*Blobs, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, dirProblem(dir, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, dirProblem(dir, err)
	}
	if err := errors.Join(root.RemoveAll(partial), root.Mkdir(partial, 0o700)); err != nil {
		return nil, errors.Join(dirProblem(dir, err), root.Close())
	}
	return &Blobs{root: root}, nil
}

// Close frees the directory; blobs that are open stay readable.
func (b *Blobs) Close() error { return b.root.Close() }

// Put stores what r holds under key, replacing what was there: readers see the
// old blob or the new one, never a part, and the new one is on disk when Put
// returns. It answers the size and the SHA-256 in hexadecimal.
func (b *Blobs) Put(ctx context.Context, key string, r io.Reader) (size int64, sum string, err error) {
	if err := checkKey(key); err != nil {
		return 0, "", err
	}
	hash := sha256.New()
	temp := path.Join(partial, event.NewID())
	size, err = b.write(temp, io.TeeReader(contextReader{ctx, r}, hash))
	if err == nil {
		err = b.rename(temp, key)
	}
	if err != nil {
		_ = b.root.Remove(temp) // or NewBlobs does
		return 0, "", b.explain(key, err)
	}
	return size, hex.EncodeToString(hash.Sum(nil)), nil
}

// Open reads the blob under key; NotFound if there is none.
func (b *Blobs) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return nil, err
	}
	f, err := b.root.Open(key)
	if err != nil {
		return nil, b.explain(key, err)
	}
	return f, nil
}

// Delete removes the blob under key; one that is not there is no error.
func (b *Blobs) Delete(ctx context.Context, key string) error {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return err
	}
	if err := b.root.Remove(key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return b.explain(key, err)
	}
	return b.syncDir(path.Dir(key))
}

// List answers the keys that start with prefix, sorted.
func (b *Blobs) List(ctx context.Context, prefix string) ([]string, error) {
	var keys []string
	dir := "."
	if i := strings.LastIndexByte(prefix, '/'); i >= 0 {
		if dir = prefix[:i]; checkKey(dir) != nil {
			return nil, nil
		}
	}
	err := fs.WalkDir(b.root.FS(), dir, func(key string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case key == partial:
			return fs.SkipDir
		case d.Type().IsRegular() && strings.HasPrefix(key, prefix):
			keys = append(keys, key)
		}
		return ctx.Err()
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, b.explain(prefix, err)
	}
	slices.Sort(keys) // WalkDir puts a/b before a-b
	return keys, nil
}

func (b *Blobs) write(name string, r io.Reader) (int64, error) {
	f, err := b.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return 0, err
	}
	n, err := io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	return n, errors.Join(err, f.Close())
}

// rename gives a whole and synced file its name, durably: the new directories
// and the one with the new name are synced too.
func (b *Blobs) rename(temp, key string) error {
	dir := path.Dir(key)
	if err := b.root.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	if err := b.root.Rename(temp, key); err != nil {
		return err
	}
	for ; dir != "."; dir = path.Dir(dir) {
		if err := b.syncDir(dir); err != nil {
			return err
		}
	}
	return b.syncDir(".")
}

func (b *Blobs) syncDir(dir string) error {
	d, err := b.root.Open(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (b *Blobs) explain(key string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return problem.New(problem.NotFound, "there is no blob %q: %w", key, err)
	}
	if p := fileProblem(path.Join(b.root.Name(), key), err); p != nil {
		return p
	}
	return fmt.Errorf("blob %q: %w", key, err)
}

// checkKey refuses whatever could leave the directory or clash with partial.
func checkKey(key string) error {
	ok := len(key) <= 512
	for part := range strings.SplitSeq(key, "/") {
		ok = ok && part != "" && part[0] != '.' && len(part) <= 255 && strings.Trim(part, keyLetters) == ""
	}
	if !ok {
		return problem.New(problem.Invalid, "%q is not a blob key", key).
			WithMend("use names of letters, digits and . _ - = @ + joined by slashes, none beginning with a dot")
	}
	return nil
}

const keyLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-=@+"

// contextReader ends a copy when its context does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (c contextReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}
