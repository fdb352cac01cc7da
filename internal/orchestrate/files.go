package orchestrate

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/daytwo-dev/daytwo/internal/configfile"
	"github.com/daytwo-dev/daytwo/internal/problem"
	"github.com/daytwo-dev/daytwo/internal/store"
)

// ReadDir reads the manifests of a directory: *.yaml and *.yml. A directory
// that does not exist has none.
func ReadDir(dir string) ([]Manifest, []problem.Finding) {
	var files []string
	for _, pattern := range []string{"*.yaml", "*.yml"} {
		found, _ := filepath.Glob(filepath.Join(dir, pattern)) // the patterns are good
		files = append(files, found...)
	}
	slices.Sort(files)
	var all []Manifest
	var findings []problem.Finding
	owner := map[string]string{}
	for _, file := range files {
		data, err := configfile.Read(file)
		if err != nil {
			findings = append(findings, configfile.Finding(file, err))
			continue
		}
		manifests, said := Parse(file, data)
		findings = append(findings, said...)
		for _, m := range manifests {
			if first, twice := owner[m.Name]; twice && first != file {
				findings = append(findings, problem.Finding{File: file, Message: "workload " + m.Name + " is already described in " + first,
					Mend: "keep one of them", Severity: problem.SeverityError})
				continue
			}
			owner[m.Name] = file
			all = append(all, m)
		}
	}
	return all, append(findings, dangling(all, owner)...)
}

// dangling warns of references to workloads that are not in the directory.
func dangling(all []Manifest, owner map[string]string) (findings []problem.Finding) {
	for _, m := range all {
		for _, name := range m.references() {
			if _, there := owner[name]; !there {
				findings = append(findings, problem.Finding{File: owner[m.Name], Severity: problem.SeverityWarning,
					Message: "workload " + m.Name + " refers to " + name + ", which is not described here"})
			}
		}
	}
	return findings
}

// Sync queues the deploys of those manifests that differ from what the last
// Sync was given, all or none. What was applied or rolled back in between
// stays as it is until its file changes.
func (o *Orchestrator) Sync(ctx context.Context, manifests []Manifest, actor string) error {
	return o.db.Write(ctx, func(tx *store.Tx) error {
		for _, m := range manifests {
			w, err := readRow(ctx, tx, m.Name)
			if err != nil && !isMissing(err) {
				return err
			}
			if err == nil && w.synced == m.Text {
				continue
			}
			if _, err := o.Apply(ctx, tx, m, actor); err != nil {
				return err
			}
			if _, err := tx.Exec(ctx, `UPDATE orchestrate_workloads SET synced = ? WHERE name = ?`, m.Text, m.Name); err != nil {
				return err
			}
		}
		return nil
	})
}
