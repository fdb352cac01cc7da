package audit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// buildTime is the longest one build may take.
const buildTime = 10 * time.Minute

// build builds twice, if it may without the network, and compares.
func (b *sandbox) build(ctx context.Context) (Builds, error) {
	r := Builds{Tested: true, Offline: true}
	var hashes [2]string
	for i := range hashes {
		out := b.built(i + 1)
		if err := os.Mkdir(filepath.Dir(out), 0o700); err != nil {
			return r, err
		}
		args := make([]string, len(b.config.Build))
		for j, a := range b.config.Build {
			args[j] = strings.ReplaceAll(a, "{out}", out)
		}
		began := time.Now()
		isolate := uintptr(0)
		if r.Offline {
			isolate = syscall.CLONE_NEWNET
		}
		p, err := b.start(ctx, spec{args: args, whole: true, isolate: isolate})
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EINVAL) {
			r.Offline = false
			p, err = b.start(ctx, spec{args: args, whole: true})
		}
		if err != nil {
			r.Failed = err.Error()
			return r, nil //nolint:nilerr // a command that is not there is a finding
		}
		ended := p.wait(ctx, buildTime)
		p.finish()
		if i == 0 {
			r.Took = time.Since(began)
		}
		switch {
		case !ended:
			r.Failed = fmt.Sprintf("it did not end within %v", buildTime)
		case p.status != 0:
			r.Failed = fmt.Sprintf("status %d: %s", p.status, p.output.lastLine())
		default:
			if hashes[i], err = hashOf(out); err != nil {
				r.Failed = "it left no program at {out}: " + err.Error()
			}
		}
		if r.Failed != "" {
			return r, ctx.Err()
		}
	}
	r.Hash, r.Same = hashes[0], hashes[0] == hashes[1]
	return r, nil
}

func hashOf(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// interpreters run a program that is not theirs.
var interpreters = []string{"python", "node", "java", "ruby", "php", "perl", "sh", "bash", "dash", "env", "npm", "npx", "yarn", "pnpm", "deno", "bun", "go", "uv", "poetry", "gunicorn", "uvicorn", "make"}

// executable tells what the command's program says of itself: whether it is a
// compiled program of its own, and the commit in it.
func (b *sandbox) executable(ctx context.Context, m *Measured) {
	name := b.fill(b.config.Command[0], spec{})
	for _, i := range interpreters {
		if base := filepath.Base(name); base == i || strings.HasPrefix(base, i) && strings.Trim(base[len(i):], "0123456789.") == "" {
			return
		}
	}
	if strings.Contains(name, "/") {
		if !filepath.IsAbs(name) {
			name = filepath.Join(b.config.Path, name)
		}
	} else if found, err := exec.LookPath(name); err == nil {
		name = found
	}
	f, err := elf.Open(name)
	if err != nil {
		return // a script
	}
	_ = f.Close()
	m.Compiled = true
	if info, err := buildinfo.ReadFile(name); err == nil { // Go's
		for _, s := range info.Settings {
			switch s.Key {
			case "vcs.revision":
				m.Revision = s.Value
			case "vcs.modified":
				m.Modified = s.Value == "true"
			}
		}
	}
	if m.Revision != "" {
		return
	}
	head, err := git(ctx, b.config.Path, "rev-parse", "--verify", "HEAD")
	if err != nil || len(head) < 40 {
		return
	}
	if text, err := os.ReadFile(name); err == nil && bytes.Contains(text, []byte(head)) {
		m.Revision = head // the linker was told, or a file with it is built in
	}
}
