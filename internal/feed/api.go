package feed

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/base/httpapi"
)

type replicasOutput struct {
	Body struct {
		Head     int64         `json:"head" doc:"Sequence number of the newest change in the database"`
		Schema   int64         `json:"schema" doc:"Version of the database schema"`
		Oldest   int64         `json:"oldest" doc:"Programs that know this version of the schema, or a newer one, can serve it"`
		Replicas []wireReplica `json:"replicas"`
	}
}

type wireReplica struct {
	ID        string       `json:"id"`
	Name      string       `json:"name"`
	Self      bool         `json:"self" doc:"The replica that answers"`
	LeaseMS   int64        `json:"leaseMilliseconds" doc:"How long one renewal lets it answer from memory"`
	Beat      int64        `json:"beat" doc:"How often it has renewed"`
	Applied   int64        `json:"applied" doc:"It knows every change up to this one"`
	Lag       int64        `json:"lag" doc:"Changes that it had not reported as known"`
	StartedAt httpapi.Time `json:"startedAt"`
	SeenAt    httpapi.Time `json:"seenAt" doc:"When it last renewed, by its own clock"`
	Version   string       `json:"version" doc:"Version of its program; empty if that cannot tell it"`
	Schema    int64        `json:"schema" doc:"The newest version of the database schema that its program knows; 0 if that cannot tell it. Such a program is too old to serve"`
}

// Routes mounts the register of replicas.
func (f *Feed) Routes(api *httpapi.API) {
	httpapi.Handle(api, httpapi.Route{Method: http.MethodGet, Path: "/api/v1/admin/replicas", ID: "list-replicas", Tag: "Instance",
		Summary: "List the replicas with their version, lease and lag", Description: "For instance administrators.", AnyActor: true}, f.replicasRoute)
}

func (f *Feed) replicasRoute(ctx context.Context, actor *access.Actor, _ *httpapi.Empty) (*replicasOutput, error) {
	register, err := f.Register(ctx, actor)
	if err != nil {
		return nil, err
	}
	out := &replicasOutput{}
	out.Body.Schema, out.Body.Oldest = register.Schema, register.Oldest
	out.Body.Head, out.Body.Replicas = register.Head, make([]wireReplica, len(register.Replicas))
	for i, r := range register.Replicas {
		out.Body.Replicas[i] = wireReplica{r.ID, r.Name, r.Self, r.Lease.Milliseconds(), r.Beat, r.Applied, max(0, register.Head-r.Applied),
			httpapi.Time(r.StartedAt), httpapi.Time(r.SeenAt), r.Version, r.Schema}
	}
	return out, nil
}
