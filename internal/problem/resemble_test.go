package problem_test

import (
	"testing"

	"github.com/daytwo-dev/daytwo/internal/problem"
)

func TestResembles(t *testing.T) {
	for _, pair := range [][2]string{{"target", "targets"}, {"metric_path", "metrics_path"}, {"scrapeInterval", "scrape_interval"}, {"recever", "receiver"}} {
		if !problem.Resembles(pair[0], pair[1]) || !problem.Resembles(pair[1], pair[0]) {
			t.Errorf("%s and %s do not resemble each other", pair[0], pair[1])
		}
	}
	for _, pair := range [][2]string{{"rules", "rule_files"}, {"for", "labels"}, {"url", "urls_of"}} {
		if problem.Resembles(pair[0], pair[1]) {
			t.Errorf("%s and %s resemble each other", pair[0], pair[1])
		}
	}
}
