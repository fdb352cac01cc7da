package web

import (
	"context"
	"runtime"
	"time"

	"github.com/daytwo-dev/daytwo/internal/auth"
)

// Info is what this server is.
type Info struct {
	Version   string    `json:"version"`
	Commit    string    `json:"commit,omitempty"`
	GoVersion string    `json:"goVersion"`
	StartedAt time.Time `json:"startedAt"`
	PublicURL string    `json:"publicUrl"`
	Demo      bool      `json:"demo"`
	Storage   string    `json:"storage" doc:"sqlite or postgres"`
	DataDir   string    `json:"dataDir,omitempty" doc:"for admins"`

	SamplesSince *time.Time `json:"samplesSince,omitempty" doc:"of the oldest sample kept"`
}

func (s *Server) infoRoutes() {
	Get(s, "/api/info", Op{ID: "get-info", Summary: "Tell which daytwo this is", Tag: "server"},
		func(ctx context.Context, _ *struct{}) (*Info, error) {
			info := s.cfg.Info
			info.Version, info.GoVersion = s.cfg.Version, runtime.Version()
			info.PublicURL = s.baseURL(exchangeOf(ctx).r)
			if auth.FromContext(ctx).Allows(auth.Admin) != nil {
				info.DataDir = ""
			}
			if s.cfg.SamplesSince != nil {
				if since, ok := s.cfg.SamplesSince(); ok {
					info.SamplesSince = &since
				}
			}
			return &info, nil
		})
}
