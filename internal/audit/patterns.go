package audit

import (
	"bytes"
	"path"
	"regexp"
	"strings"
)

// asks matches how programs ask for an environment variable.
var asks = regexp.MustCompile(`(?:\b(?:os\.(?:Getenv|LookupEnv|getenv)|System\.getenv(?:\(\)\.get(?:OrDefault)?)?|getenv|Deno\.env\.get|env::var)\s*\(\s*|os\.environ(?:\.get\s*\(\s*|\s*\[\s*)|ENV(?:\.fetch\s*\(\s*|\[\s*)|process\.env(?:\.|\[\s*)|\benv:)["'` + "`" + `]?([A-Z][A-Z0-9_]+)`)

// askedVariables are the names of the environment variables that code asks for.
func askedVariables(text []byte) []string {
	var names []string
	for _, m := range asks.FindAllSubmatch(text, 1000) {
		names = append(names, string(m[1]))
	}
	return names
}

// logsToFile matches what sets up a log file in code.
var logsToFile = regexp.MustCompile(`\b(?:(?:Timed|Rotating|TimedRotating|Watched)?FileHandler\s*\(|basicConfig\s*\([^)]*filename\s*=|lumberjack\.Logger\{|transports\.(?:Daily)?(?:Rotate)?File\s*\(|RollingFileAppender|(?:open|OpenFile|Create|createWriteStream|appendFile(?:Sync)?|FileWriter|FileOutputStream|PrintWriter|newBufferedWriter)\s*\([^)\n]*\.log["'` + "`" + `])`)

// logFiles are the lines that set up a log file.
func logFiles(name string, text []byte) []Place {
	if !logsToFile.Match(text) {
		return nil
	}
	var found []Place
	for i, line := range bytes.Split(text, []byte("\n")) {
		if len(line) <= 4096 && logsToFile.Match(line) {
			found = append(found, Place{name, i + 1})
		}
	}
	return found
}

func isDockerfile(name string) bool {
	base := path.Base(name)
	return base == "Dockerfile" || base == "Containerfile" || strings.HasPrefix(base, "Dockerfile.")
}

// shellForms are the CMD and ENTRYPOINT lines in shell form: /bin/sh is then
// the process that gets SIGTERM, and does not pass it on.
func shellForms(name string, text []byte) []Place {
	var found []Place
	number := 0
	for line := range bytes.Lines(text) {
		number++
		word, rest, _ := strings.Cut(strings.TrimSpace(string(line)), " ")
		rest = strings.TrimSpace(rest)
		switch strings.ToUpper(word) {
		case "CMD", "ENTRYPOINT":
			if rest != "" && !strings.HasPrefix(rest, "[") && !strings.HasPrefix(rest, "exec ") {
				found = append(found, Place{name, number})
			}
		}
	}
	return found
}

var adminName = regexp.MustCompile(`(?i)^(?:db[:_-]?)?(?:migrat\w*|seed|console|shell|backup|restore|release|create-?user|rake|reindex|token|check|doctor)$`)

var (
	scriptLine  = regexp.MustCompile(`"([\w:-]+)"\s*:\s*"`)
	makeTarget  = regexp.MustCompile(`(?m)^([\w-]+):(?:[^=]|$)`)
	procfileRow = regexp.MustCompile(`(?m)^([\w-]+):\s`)
)

// adminTasks are the administrative tasks that a well-known file declares.
func adminTasks(name string, text []byte) []string {
	var pattern *regexp.Regexp
	switch path.Base(name) {
	case "manage.py":
		return []string{"manage.py"}
	case "package.json":
		pattern = scriptLine
	case "Makefile":
		pattern = makeTarget
	case "Procfile":
		pattern = procfileRow
	default:
		return nil
	}
	if isTestFile(name) {
		return nil
	}
	var found []string
	for _, m := range pattern.FindAllSubmatch(text, 500) {
		if task := string(m[1]); adminName.MatchString(task) || strings.HasPrefix(task, "db:") {
			found = append(found, path.Base(name)+" "+task)
		}
	}
	return found
}
