-- +goose Up

-- What a secret says stands in its own row: who reads a folder reads the rows of its secrets alone. secret_versions keeps
-- what earlier versions said. What is long comes last, so that nobody reads through it for what stands behind.
ALTER TABLE secrets ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
ALTER TABLE secrets ADD COLUMN project_key_id TEXT REFERENCES project_keys (id);
ALTER TABLE secrets ADD COLUMN tags TEXT NOT NULL DEFAULT '';
ALTER TABLE secrets ADD COLUMN skip_multiline BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE secrets ADD COLUMN reminder_days BIGINT;
ALTER TABLE secrets ADD COLUMN reminder_note TEXT;
ALTER TABLE secrets ADD COLUMN metadata TEXT NOT NULL DEFAULT '[]';
ALTER TABLE secrets ADD COLUMN comment BYTEA; -- sealed; none if NULL
ALTER TABLE secrets ADD COLUMN value BYTEA;   -- sealed; never NULL

UPDATE secrets SET (updated_at, project_key_id, tags, skip_multiline, reminder_days, reminder_note, metadata, comment, value) =
  (SELECT v.created_at, v.project_key_id, v.tags, v.skip_multiline, v.reminder_days, v.reminder_note, v.metadata, v.comment, v.value
    FROM secret_versions v WHERE v.secret_id = secrets.id AND v.version = secrets.version);
DELETE FROM secret_versions WHERE EXISTS
  (SELECT 1 FROM secrets s WHERE s.id = secret_versions.secret_id AND s.version = secret_versions.version);

CREATE INDEX secrets_by_project_key ON secrets (project_key_id, id);

-- Counting the identities of an organisation, and stepping over those of earlier pages, reads indexes alone.
DROP INDEX identities_by_org;
CREATE INDEX identities_by_org ON identities (org_id, name, id, project_id);
