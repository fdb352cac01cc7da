package configfile_test

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/daytwo-dev/daytwo/internal/configfile"
	"github.com/daytwo-dev/daytwo/internal/problem"
)

// read fails the test if Read does not come back.
func read(t *testing.T, name string) ([]byte, error) {
	t.Helper()
	type result struct {
		content []byte
		err     error
	}
	done := make(chan result, 1)
	go func() {
		content, err := configfile.Read(name)
		done <- result{content, err}
	}()
	select {
	case r := <-done:
		return r.content, r.err
	case <-time.After(20 * time.Second):
		t.Fatalf("reading %s does not end", name)
		return nil, nil
	}
}

func TestReadsFilesAndLinksToThem(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "a.yml"), filepath.Join(dir, "b.yml")
	full := strings.Repeat("#", configfile.MaxBytes)
	if err := errors.Join(os.WriteFile(file, []byte(full), 0o600), os.Symlink(file, link)); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{file, link} {
		if content, err := read(t, name); err != nil || string(content) != full {
			t.Errorf("%s: %d bytes, %v", name, len(content), err)
		}
	}
}

func TestRefusesWhatIsNoConfigurationFile(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	socket, err := net.ListenUnix("unix", &net.UnixAddr{Name: at("socket")})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if err := errors.Join(
		syscall.Mkfifo(at("pipe"), 0o600), os.Symlink(at("pipe"), at("link")), os.Mkdir(at("dir"), 0o700),
		os.WriteFile(at("large"), nil, 0o600), os.Truncate(at("large"), 1<<40), os.Symlink(at("loop"), at("loop")),
	); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		at("pipe"): "it is a named pipe", at("link"): "it is a named pipe", at("dir"): "it is a directory", at("socket"): "it is a socket",
		"/dev/zero": "it is a device", at("large"): "larger than 8 MiB", at("loop"): "too many levels", at("none"): "no such file",
	} {
		content, err := read(t, name)
		if content != nil || err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %d bytes, %v", name, len(content), err)
		}
		f := configfile.Finding(name, err)
		if f.File != name || !strings.HasPrefix(f.Message, "cannot be read: ") || !strings.Contains(f.Message, want) || f.Mend == "" || f.Severity != problem.SeverityError {
			t.Errorf("%s: %s", name, f)
		}
		if errors.Is(err, fs.ErrNotExist) != (name == at("none")) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
