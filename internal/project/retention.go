package project

import (
	"context"
	"net/http"

	"github.com/sallyport/sallyport/internal/access"
	"github.com/sallyport/sallyport/internal/audit"
	"github.com/sallyport/sallyport/internal/base/httpapi"
	"github.com/sallyport/sallyport/internal/feed"
)

// SetAuditDays says for how many days audit events of a project are kept that are written from now on; 0 leaves it to the
// server, which never keeps events longer than its own setting. Only who may edit the project itself may do it, so that a
// member cannot cover their traces. Errors: those of Enter, PermissionDenied.
func (s *Service) SetAuditDays(ctx context.Context, actor *access.Actor, ref Ref, days int64) (*Project, error) {
	a, err := s.enterRef(ctx, actor, ref)
	if err != nil {
		return nil, err
	}
	if err := a.Check(access.Edit, access.SubjectWorkspace, nil); err != nil {
		return nil, err
	}
	projectID := a.Project.ID
	err = s.feed.Change(ctx, func(tx *feed.Tx) error {
		if err := Hold(ctx, tx, projectID); err != nil {
			return err
		}
		// The event goes first: it is kept as long as before.
		if err := s.record(ctx, tx, actor, projectID, audit.UpdateProject, map[string]any{"auditLogsRetentionDays": days}); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `UPDATE projects SET audit_days = $1, updated_at = $2 WHERE id = $3`, days, tx.Now().UnixMilli(), projectID)
		Changed(tx, projectID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.Find(ctx, actor.OrgID, projectID)
}

// retentionRoutes mounts SetAuditDays for projects by id, and for workspaces by slug
// (docs/reference/secrets.md section 3.3).
func (s *Service) retentionRoutes(api *httpapi.API) {
	route := func(path, id string, old bool) httpapi.Route {
		return httpapi.Route{Method: http.MethodPut, Path: path + "/audit-logs-retention", ID: id, Tag: projectTag, Yields: true, Deprecated: old,
			Summary: "Set how long audit events of a project are kept", Permission: httpapi.Permission{Action: access.Edit, Subject: access.SubjectWorkspace}}
	}
	httpapi.Handle(api, route("/api/v1/projects/{projectId}", "set-project-audit-retention", false), s.retentionRoute)
	httpapi.Handle(api, route("/api/v1/workspace/{slug}", "set-workspace-audit-retention", true), s.oldRetentionRoute)
}

// RetentionBody is exported since huma looks into no other.
type RetentionBody struct {
	Days int64 `json:"auditLogsRetentionDays" minimum:"0" maximum:"36500" doc:"Limited by the server's own retention; 0 for as long as the server keeps events"`
}

type retentionInput struct {
	ProjectID string `path:"projectId"`
	Body      RetentionBody
}

type retentionOutput struct {
	Body struct {
		Message string      `json:"message"`
		Project wireProject `json:"project"`
	}
}

const retentionSet = "The retention of audit events is set"

func (s *Service) retentionRoute(ctx context.Context, actor *access.Actor, in *retentionInput) (*retentionOutput, error) {
	p, err := s.SetAuditDays(ctx, actor, Ref{ID: in.ProjectID}, in.Body.Days)
	if err != nil {
		return nil, err
	}
	out := &retentionOutput{}
	out.Body.Message, out.Body.Project = retentionSet, wire(p)
	return out, nil
}

type oldRetentionInput struct {
	Slug string `path:"slug"`
	Body RetentionBody
}

type oldRetentionOutput struct {
	Body struct {
		Message   string      `json:"message"`
		Workspace wireProject `json:"workspace"`
	}
}

func (s *Service) oldRetentionRoute(ctx context.Context, actor *access.Actor, in *oldRetentionInput) (*oldRetentionOutput, error) {
	p, err := s.SetAuditDays(ctx, actor, Ref{Slug: in.Slug}, in.Body.Days)
	if err != nil {
		return nil, err
	}
	out := &oldRetentionOutput{}
	out.Body.Message, out.Body.Workspace = retentionSet, wire(p)
	return out, nil
}
