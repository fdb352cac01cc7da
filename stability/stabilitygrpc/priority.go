package stabilitygrpc

import (
	"context"
	"strconv"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/daytwo-dev/daytwo/stability"
)

const priorityKey = "priority"

// sendPriority puts the priority of ctx into the metadata of the call, unless
// there is one.
func sendPriority(ctx context.Context) context.Context {
	urgency := map[stability.Priority]string{stability.Critical: "u=1", stability.Sheddable: "u=6"}[stability.PriorityOf(ctx)]
	if md, _ := metadata.FromOutgoingContext(ctx); urgency == "" || len(md.Get(priorityKey)) > 0 {
		return ctx
	}
	return metadata.AppendToOutgoingContext(ctx, priorityKey, urgency)
}

// receivePriority gives ctx the priority that its caller sent: urgency 0 to 2 is
// critical, 5 to 7 sheddable.
func receivePriority(ctx context.Context) context.Context {
	md, _ := metadata.FromIncomingContext(ctx)
	for _, value := range md.Get(priorityKey) {
		for item := range strings.SplitSeq(value, ",") {
			text, ok := strings.CutPrefix(strings.TrimSpace(item), "u=")
			u, err := strconv.Atoi(text)
			switch {
			case !ok || err != nil || u < 0 || u > 7:
			case u < 3:
				return stability.WithPriority(ctx, stability.Critical)
			case u > 4:
				return stability.WithPriority(ctx, stability.Sheddable)
			}
		}
	}
	return ctx
}
