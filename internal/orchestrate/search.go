package orchestrate

import (
	"os"
	"path/filepath"
	"strings"
)

func containsSlash(s string) bool { return strings.ContainsRune(s, '/') }

// searchPath is the PATH in env, without relative entries.
func searchPath(env []string) (dirs []string) {
	for _, e := range env {
		if path, ok := strings.CutPrefix(e, "PATH="); ok {
			dirs = nil
			for _, d := range filepath.SplitList(path) {
				if filepath.IsAbs(d) {
					dirs = append(dirs, d)
				}
			}
		}
	}
	return dirs
}

func isProgram(file string) bool {
	info, err := os.Stat(file)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
