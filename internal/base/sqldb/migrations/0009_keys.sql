-- +goose Up

-- The keys by level, so that each can be rotated. One of each owner is active: it seals what is new. The others are there
-- only until what they sealed is sealed anew. What is sealed refers to its key, so that none goes too early.

-- Names of the root keys that something here is sealed with; the keys themselves are never in the database. id is the
-- key's fingerprint.
CREATE TABLE root_keys (
  id         TEXT PRIMARY KEY,
  state      TEXT NOT NULL, -- 'coming': every server must have it from now on; 'active': it seals; 'retiring'
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX root_keys_active ON root_keys (state) WHERE state = 'active';

-- sealed is the key under the root key. root_key_id is NULL in rows from before root keys had names.
CREATE TABLE organization_keys (
  id          TEXT PRIMARY KEY,
  org_id      TEXT NOT NULL REFERENCES organizations (id),
  root_key_id TEXT REFERENCES root_keys (id),
  sealed      BYTEA NOT NULL,
  active      BOOLEAN NOT NULL,
  created_at  BIGINT NOT NULL
);
CREATE UNIQUE INDEX organization_keys_active ON organization_keys (org_id) WHERE active;
CREATE INDEX organization_keys_by_org ON organization_keys (org_id);
CREATE INDEX organization_keys_by_root_key ON organization_keys (root_key_id);

-- sealed is the data key under that of the organisation; empty once the project is deleted.
CREATE TABLE project_keys (
  id                  TEXT PRIMARY KEY,
  project_id          TEXT NOT NULL REFERENCES projects (id),
  organization_key_id TEXT NOT NULL REFERENCES organization_keys (id),
  sealed              BYTEA NOT NULL,
  active              BOOLEAN NOT NULL,
  created_at          BIGINT NOT NULL
);
CREATE UNIQUE INDEX project_keys_active ON project_keys (project_id) WHERE active;
CREATE INDEX project_keys_by_project ON project_keys (project_id);
CREATE INDEX project_keys_by_organization_key ON project_keys (organization_key_id);

INSERT INTO organization_keys (id, org_id, sealed, active, created_at)
  SELECT id, id, sealed_key, TRUE, created_at FROM organizations WHERE sealed_key IS NOT NULL;
INSERT INTO project_keys (id, project_id, organization_key_id, sealed, active, created_at)
  SELECT id, id, org_id, sealed_key, TRUE, created_at FROM projects;
ALTER TABLE organizations DROP COLUMN sealed_key;
ALTER TABLE projects DROP COLUMN sealed_key;

ALTER TABLE signing_keys ADD COLUMN root_key_id TEXT REFERENCES root_keys (id);
ALTER TABLE auth_configs ADD COLUMN root_key_id TEXT REFERENCES root_keys (id);
CREATE INDEX auth_configs_by_root_key ON auth_configs (root_key_id);
ALTER TABLE instance ADD COLUMN root_key_id TEXT REFERENCES root_keys (id); -- of the pepper

ALTER TABLE secret_versions ADD COLUMN project_key_id TEXT REFERENCES project_keys (id);
UPDATE secret_versions SET project_key_id = (SELECT e.project_id FROM secrets s JOIN folders f ON f.id = s.folder_id
  JOIN environments e ON e.id = f.environment_id WHERE s.id = secret_versions.secret_id);
CREATE INDEX secret_versions_by_project_key ON secret_versions (project_key_id, secret_id, version);

-- The fingerprints of the root keys that a replica was given, with spaces between: one who lacks the new key must not be
-- there when a rotation begins.
ALTER TABLE replicas ADD COLUMN root_keys TEXT NOT NULL DEFAULT '';
