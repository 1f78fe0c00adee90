-- +goose Up

-- A replica of version 19 does not store who made something, so that counts for the organization alone.
UPDATE feed_head SET oldest = 19 WHERE oldest < 19;

-- Who made a project or an identity, for the quota of a member. NULL: from before this was kept, or made by the server.
ALTER TABLE projects ADD COLUMN created_by TEXT;
ALTER TABLE identities ADD COLUMN created_by TEXT;
CREATE INDEX projects_by_creator ON projects (org_id, created_by) WHERE created_by IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX identities_by_creator ON identities (org_id, created_by) WHERE created_by IS NOT NULL;
