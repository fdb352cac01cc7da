package loop

import (
	"context"

	"github.com/daytwo-dev/daytwo/internal/auth"
	"github.com/daytwo-dev/daytwo/internal/run"
	"github.com/daytwo-dev/daytwo/internal/store"
	"github.com/daytwo-dev/daytwo/internal/web"
)

type incidentInput struct {
	ID string `path:"id" doc:"id or number of the incident"`
}

type rollbackInput struct {
	ID   string `path:"id" doc:"id or number of the incident"`
	Body struct {
		Workload string `json:"workload" minLength:"1"`
		Revision int    `json:"revision" minimum:"1" doc:"the revision to go back to, as the suspect's action names it"`
	}
}

// Routes registers what joins incidents with changes.
func (l *Loop) Routes(s *web.Server) {
	web.Get(s, "/api/incidents/{id}/suspects", web.Op{
		ID: "list-suspects", Summary: "Changes that may have caused an incident, most suspect first", Tag: "incidents",
	}, func(ctx context.Context, in *incidentInput) (*web.List[Suspect], error) {
		suspects, err := l.Suspects(ctx, in.ID)
		return &web.List[Suspect]{Items: suspects}, err
	})
	web.Post(s, "/api/incidents/{id}/rollback", web.Op{
		ID: "roll-back-suspect", Summary: "Undo a suspected deploy", Tag: "incidents",
		Description: "Starts a run that puts the revision back, and notes it on the incident.",
		Role:        auth.Operator, Audit: "incident.rollback", Status: 202,
	}, l.rollBack)
}

func (l *Loop) rollBack(ctx context.Context, in *rollbackInput) (*run.Run, error) {
	i, err := l.Incidents.Get(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	actor := auth.FromContext(ctx).String()
	var r run.Run
	err = l.DB.Write(ctx, func(tx *store.Tx) error {
		if r, err = l.Workloads.Rollback(ctx, tx, in.Body.Workload, in.Body.Revision, actor); err != nil {
			return err
		}
		return l.Incidents.Note(ctx, tx, i.ID, actor, "Started to roll back "+in.Body.Workload)
	})
	if err != nil {
		return nil, err
	}
	return &r, nil
}
