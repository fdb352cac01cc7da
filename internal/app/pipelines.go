package app

import "github.com/daytwo-dev/daytwo/internal/logs"

// logPipelines builds the Logstash pipelines of the operations directory; what
// they keep goes to the event store.
func (a *App) logPipelines() (*logs.Pipelines, error) {
	pipelines, err := logs.NewPipelines(logs.PipelinesConfig{
		Dir: a.config.ConfigDir, State: a.dataFile("logstash"), Sink: a.events, Logger: a.log, Registerer: a.registry,
	})
	if err != nil {
		return nil, err
	}
	set, err := pipelines.Read()
	if err != nil {
		return nil, err
	}
	pipelines.Apply(set)
	return pipelines, nil
}
