-- +goose Up

-- The key that the keys of the organisation's projects are sealed with, itself sealed with the root key. Made when first
-- needed.
ALTER TABLE organizations ADD COLUMN sealed_key BYTEA;

-- deleted_at set: nobody finds the project any more, and what it holds goes in small steps.
CREATE TABLE projects (
  id                 TEXT PRIMARY KEY,
  org_id             TEXT NOT NULL REFERENCES organizations (id),
  name               TEXT NOT NULL,
  slug               TEXT NOT NULL,
  description        TEXT,
  type               TEXT NOT NULL,
  auto_capital       BOOLEAN NOT NULL,
  delete_protection  BOOLEAN NOT NULL,
  secret_sharing     BOOLEAN NOT NULL,
  snapshots_legacy   BOOLEAN NOT NULL,
  sealed_metadata    BOOLEAN,         -- whether metadata of secrets must be encrypted
  version_limit      BIGINT NOT NULL, -- how many snapshots are kept
  audit_days         BIGINT,          -- how long audit events are kept, where it is not the server's retention
  ignored_values     TEXT NOT NULL,   -- JSON list of values that secret detection leaves alone
  sealed_key         BYTEA NOT NULL,  -- the data key, sealed with the organisation's; empty once the project is deleted
  created_at         BIGINT NOT NULL,
  updated_at         BIGINT NOT NULL,
  deleted_at         BIGINT
);
CREATE UNIQUE INDEX projects_by_slug ON projects (org_id, slug) WHERE deleted_at IS NULL;
CREATE INDEX projects_deleted ON projects (deleted_at) WHERE deleted_at IS NOT NULL;

-- deleted_at set: out of sight; from delete_after on it goes in small steps.
CREATE TABLE environments (
  id                  TEXT PRIMARY KEY,
  project_id          TEXT NOT NULL REFERENCES projects (id),
  name                TEXT NOT NULL,
  slug                TEXT NOT NULL,
  position            BIGINT NOT NULL, -- from 1, also with gaps; what those in sight are sorted by
  created_at          BIGINT NOT NULL,
  updated_at          BIGINT NOT NULL,
  deleted_at          BIGINT,
  delete_after        BIGINT,
  deleted_by_user     TEXT,
  deleted_by_identity TEXT
);
CREATE UNIQUE INDEX environments_by_slug ON environments (project_id, slug) WHERE deleted_at IS NULL;
CREATE INDEX environments_by_project ON environments (project_id, position);
CREATE INDEX environments_deleted ON environments (delete_after) WHERE deleted_at IS NOT NULL;

-- The folders of an environment; the root has the path '/' and no parent. path is what folders are found by; a folder
-- that is renamed renames it in all that lie below. parent_id refers to no key, since a table that refers to itself
-- cannot be moved to another database row by row.
CREATE TABLE folders (
  id                 TEXT PRIMARY KEY,
  environment_id     TEXT NOT NULL REFERENCES environments (id),
  parent_id          TEXT,
  name               TEXT NOT NULL, -- 'root' for the root
  path               TEXT NOT NULL,
  description        TEXT,
  version            BIGINT NOT NULL,
  secret_modified_at BIGINT,        -- when a secret in it last changed
  created_at         BIGINT NOT NULL,
  updated_at         BIGINT NOT NULL,
  UNIQUE (environment_id, path)
);
CREATE INDEX folders_by_parent ON folders (parent_id);

CREATE TABLE tags (
  id              TEXT PRIMARY KEY,
  project_id      TEXT NOT NULL REFERENCES projects (id),
  slug            TEXT NOT NULL,
  color           TEXT,
  created_by      TEXT,
  created_by_type TEXT NOT NULL,
  created_at      BIGINT NOT NULL,
  updated_at      BIGINT NOT NULL,
  UNIQUE (project_id, slug)
);

-- One membership for each member of a project.
CREATE UNIQUE INDEX memberships_of_identities ON memberships (project_id, identity_id) WHERE project_id IS NOT NULL AND identity_id IS NOT NULL;
CREATE UNIQUE INDEX memberships_of_users ON memberships (project_id, user_id) WHERE project_id IS NOT NULL AND user_id IS NOT NULL;

CREATE INDEX identities_by_project ON identities (project_id) WHERE project_id IS NOT NULL;
CREATE INDEX custom_roles_by_project ON custom_roles (project_id, slug);

-- Additional privileges: rules that one member of a project has beside those of its roles, for good or for a time.
CREATE TABLE privileges (
  id              TEXT PRIMARY KEY,
  membership_id   TEXT NOT NULL REFERENCES memberships (id) ON DELETE CASCADE,
  slug            TEXT NOT NULL,
  permissions     TEXT NOT NULL, -- its list of rules as JSON
  temporary       BOOLEAN NOT NULL,
  temporary_mode  TEXT,
  temporary_range TEXT,
  access_start    BIGINT,
  access_end      BIGINT,
  created_at      BIGINT NOT NULL,
  updated_at      BIGINT NOT NULL,
  UNIQUE (membership_id, slug)
);
