package audit

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

// Limits of what is read of a repository.
const (
	maxFiles     = 50_000
	maxFileBytes = 1 << 20
	maxReadBytes = 256 << 20
)

// Place is where something stands in the source.
type Place struct {
	File string // slash-separated, relative to the audited folder
	Line int    // from 1; 0: the whole file
}

// Source is what the repository says without running anything.
type Source struct {
	Git       bool
	Root      string // of the repository, if it is one
	Commit    string // of HEAD
	Changed   int    // files that differ from HEAD
	Submodule int    // repositories in the repository

	Files     int    // looked at
	Truncated string // why not everything was looked at
	Manifests []Manifest
	Secrets   []Secret
	Variables []string // names of environment variables that the code asks for, sorted
	Env       []EnvSet // configuration by environment
	Docker    []Place  // instructions that hide signals from the program
	Admin     []string // administrative tasks that are declared
	LogFiles  []Place  // code that sets up a log file
}

// ReadSource reads the folder: what git tracks of it, or without git all of it.
// Symbolic links are not followed.
func ReadSource(ctx context.Context, dir string) (Source, error) {
	var s Source
	s.readGit(ctx, dir)
	names, err := sourceFiles(ctx, dir, s.Git)
	if err != nil {
		return s, problem.New(problem.Invalid, "cannot read %s: %w", dir, err)
	}
	if len(names) > maxFiles {
		s.Truncated = "more than 50000 files"
		names = names[:maxFiles]
	}
	variables := map[string]bool{}
	read := int64(0)
	for _, name := range names {
		if ctx.Err() != nil {
			return s, ctx.Err()
		}
		text, err := readText(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil || text == nil {
			continue
		}
		if read += int64(len(text)); read > maxReadBytes {
			s.Truncated = "more than 256 MiB of text"
			break
		}
		s.Files++
		s.look(name, text, variables)
	}
	for v := range variables {
		s.Variables = append(s.Variables, v)
	}
	slices.Sort(s.Variables)
	s.Manifests = manifests(names, func(name string) []byte {
		text, _ := readText(filepath.Join(dir, filepath.FromSlash(name)))
		return text
	})
	return s, nil
}

// look takes what one text file says.
func (s *Source) look(name string, text []byte, variables map[string]bool) {
	s.Secrets = append(s.Secrets, findSecrets(name, text)...)
	if set, ok := readEnvSet(name, text); ok {
		s.Env = append(s.Env, set)
	}
	s.Admin = append(s.Admin, adminTasks(name, text)...)
	if isDockerfile(name) {
		s.Docker = append(s.Docker, shellForms(name, text)...)
	}
	if isCode(name) && !isTestFile(name) {
		for _, v := range askedVariables(text) {
			variables[v] = true
		}
		s.LogFiles = append(s.LogFiles, logFiles(name, text)...)
	}
}

func (s *Source) readGit(ctx context.Context, dir string) {
	root, err := git(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return
	}
	s.Git, s.Root = true, root
	s.Commit, _ = git(ctx, dir, "rev-parse", "--verify", "HEAD")
	if out, err := git(ctx, dir, "status", "--porcelain", "--untracked-files=no", "--", "."); err == nil && out != "" {
		s.Changed = strings.Count(out, "\n") + 1
	}
	if text, err := os.ReadFile(filepath.Join(root, ".gitmodules")); err == nil {
		s.Submodule = bytes.Count(text, []byte("[submodule"))
	}
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir, "-c", "core.fsmonitor=false"}, args...)...)
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	return strings.TrimRight(string(out), "\n\x00"), err
}

// sourceFiles lists the files by name, sorted, relative to dir.
func sourceFiles(ctx context.Context, dir string, tracked bool) ([]string, error) {
	if tracked {
		out, err := git(ctx, dir, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
		if err == nil {
			var names []string
			for name := range strings.SplitSeq(out, "\x00") {
				if name != "" && !isForeign(name) {
					names = append(names, name)
				}
			}
			slices.Sort(names)
			return slices.Compact(names), nil
		}
	}
	var names []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			if p == dir {
				return err
			}
			return nil // a folder that may not be read
		}
		rel, _ := filepath.Rel(dir, p)
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && (d.Name() == ".git" || isForeign(rel+"/")) {
				return filepath.SkipDir
			}
			return ctx.Err()
		}
		if names = append(names, rel); len(names) > maxFiles {
			return filepath.SkipAll
		}
		return nil
	})
	return names, err
}

// isForeign tells whether a path lies in a folder of others' code or of what
// is built.
func isForeign(name string) bool {
	for part := range strings.SplitSeq(filepath.ToSlash(filepath.Dir(name)), "/") {
		switch part {
		case "node_modules", "vendor", ".venv", "venv", "__pycache__", ".tox", "dist", ".gradle", ".terraform":
			return true
		}
	}
	return false
}

var errTooLarge = errors.New("too large")

// readText returns a regular text file, nil for a binary one.
func readText(path string) ([]byte, error) {
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return nil, err
	}
	if info.Size() > maxFileBytes {
		return nil, errTooLarge
	}
	text, err := os.ReadFile(path)
	if err != nil || bytes.IndexByte(text[:min(len(text), 8000)], 0) >= 0 {
		return nil, err
	}
	return text, nil
}

func isCode(name string) bool {
	switch filepath.Ext(name) {
	case ".go", ".py", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".java", ".kt", ".rb", ".rs", ".php", ".sh":
		return true
	}
	return false
}

// isTestFile tells whether a file is there for tests, documentation or as an example
// of how to fill in a form: what it holds is not the program's.
func isTestFile(name string) bool {
	for part := range strings.SplitSeq(strings.ToLower(name), "/") {
		switch part {
		case "test", "tests", "testdata", "__tests__", "spec", "fixtures", "docs", "doc", "e2e":
			return true
		}
	}
	base := strings.ToLower(filepath.Base(name))
	for _, part := range []string{"_test.", ".test.", ".spec.", "test_", "example", "sample", "template", ".md"} {
		if strings.Contains(base, part) {
			return true
		}
	}
	return false
}
