-- +goose Up

-- The one row of the instance: whether it was set up, and the longest life that any token was ever issued with, in
-- seconds, which says how long a revocation must be remembered.
CREATE TABLE instance (
  id                TEXT PRIMARY KEY,
  initialized       BOOLEAN NOT NULL,
  token_age_ceiling BIGINT NOT NULL,
  created_at        BIGINT NOT NULL
);
INSERT INTO instance (id, initialized, token_age_ceiling, created_at) VALUES ('instance', FALSE, 0, 0);

CREATE TABLE organizations (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  slug       TEXT NOT NULL UNIQUE,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

CREATE TABLE users (
  id            TEXT PRIMARY KEY,
  email         TEXT NOT NULL UNIQUE,
  first_name    TEXT NOT NULL,
  last_name     TEXT NOT NULL,
  password_hash TEXT NOT NULL,
  super_admin   BOOLEAN NOT NULL,
  created_at    BIGINT NOT NULL,
  updated_at    BIGINT NOT NULL
);

CREATE TABLE identities (
  id                TEXT PRIMARY KEY,
  org_id            TEXT NOT NULL REFERENCES organizations (id),
  project_id        TEXT,
  name              TEXT NOT NULL,
  delete_protection BOOLEAN NOT NULL,
  created_at        BIGINT NOT NULL,
  updated_at        BIGINT NOT NULL
);
CREATE INDEX identities_by_org ON identities (org_id, name, id);

CREATE TABLE identity_metadata (
  id          TEXT PRIMARY KEY,
  identity_id TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
  key         TEXT NOT NULL,
  value       TEXT NOT NULL
);
CREATE INDEX identity_metadata_by_identity ON identity_metadata (identity_id);

-- Identities that are instance administrators.
CREATE TABLE instance_admins (
  identity_id TEXT PRIMARY KEY REFERENCES identities (id) ON DELETE CASCADE
);

CREATE TABLE memberships (
  id                TEXT PRIMARY KEY,
  scope             TEXT NOT NULL, -- 'organization' or 'project'
  org_id            TEXT NOT NULL REFERENCES organizations (id),
  project_id        TEXT,
  identity_id       TEXT REFERENCES identities (id) ON DELETE CASCADE,
  user_id           TEXT REFERENCES users (id) ON DELETE CASCADE,
  active            BOOLEAN NOT NULL,
  last_login_method TEXT,
  last_login_at     BIGINT,
  created_at        BIGINT NOT NULL,
  updated_at        BIGINT NOT NULL
);
CREATE INDEX memberships_by_identity ON memberships (identity_id, scope);
CREATE INDEX memberships_by_user ON memberships (user_id, scope);
CREATE INDEX memberships_by_org ON memberships (org_id, scope);

-- Roles that an organisation made; permissions is its list of rules as JSON. project_id is empty for those of the
-- organisation itself.
CREATE TABLE custom_roles (
  id          TEXT PRIMARY KEY,
  org_id      TEXT NOT NULL REFERENCES organizations (id),
  project_id  TEXT NOT NULL,
  slug        TEXT NOT NULL,
  name        TEXT NOT NULL,
  description TEXT NOT NULL,
  permissions TEXT NOT NULL,
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL,
  UNIQUE (org_id, project_id, slug)
);

CREATE TABLE membership_roles (
  id              TEXT PRIMARY KEY,
  membership_id   TEXT NOT NULL REFERENCES memberships (id) ON DELETE CASCADE,
  role            TEXT NOT NULL, -- a built-in slug, or 'custom'
  custom_role_id  TEXT REFERENCES custom_roles (id),
  temporary       BOOLEAN NOT NULL,
  temporary_mode  TEXT,
  temporary_range TEXT,
  access_start    BIGINT,
  access_end      BIGINT,
  created_at      BIGINT NOT NULL,
  updated_at      BIGINT NOT NULL
);
CREATE INDEX membership_roles_by_membership ON membership_roles (membership_id);
CREATE INDEX membership_roles_by_custom_role ON membership_roles (custom_role_id);

-- One row for each login method of an identity; settings holds what is the method's own.
CREATE TABLE auth_configs (
  id          TEXT PRIMARY KEY,
  identity_id TEXT NOT NULL REFERENCES identities (id) ON DELETE CASCADE,
  method      TEXT NOT NULL,
  ttl         BIGINT NOT NULL, -- seconds; 0: no limit of its own
  max_ttl     BIGINT NOT NULL, -- seconds; 0: no limit
  uses_limit  BIGINT NOT NULL, -- 0: unlimited
  trusted_ips TEXT NOT NULL,   -- JSON list of addresses and networks
  settings    BYTEA NOT NULL,  -- the method's settings as JSON, sealed: some methods keep secrets in them
  created_at  BIGINT NOT NULL,
  updated_at  BIGINT NOT NULL,
  UNIQUE (identity_id, method)
);

-- Tokens made by hand, and logins with a use limit; other logins leave no row. No foreign key to identities: deleting
-- an identity with a million tokens writes one cut-off, and the rows go in small steps afterwards.
CREATE TABLE access_tokens (
  id               TEXT PRIMARY KEY,
  identity_id      TEXT NOT NULL,
  org_id           TEXT NOT NULL,
  method           TEXT NOT NULL,
  client_secret_id TEXT,
  name             TEXT,
  ttl              BIGINT NOT NULL,
  max_ttl          BIGINT NOT NULL,
  period           BIGINT NOT NULL,
  uses             BIGINT NOT NULL,
  uses_limit       BIGINT NOT NULL,
  born             BIGINT NOT NULL, -- feed sequence; below a cut-off the token is dead
  revoked          BOOLEAN NOT NULL,
  expires_at       BIGINT NOT NULL, -- of the newest JWT
  last_used_at     BIGINT,
  last_renewed_at  BIGINT,
  created_at       BIGINT NOT NULL,
  updated_at       BIGINT NOT NULL
);
CREATE INDEX access_tokens_by_identity ON access_tokens (identity_id, method, created_at, id);
CREATE INDEX access_tokens_by_expiry ON access_tokens (expires_at);

-- How many rows access_tokens has for an identity and method, so that a list can tell its total at once.
CREATE TABLE token_counts (
  identity_id TEXT NOT NULL,
  method      TEXT NOT NULL,
  total       BIGINT NOT NULL,
  PRIMARY KEY (identity_id, method)
);

-- The ordered log of changes that every replica follows; entries that matter beyond the moment carry until.
CREATE TABLE changes (
  seq   BIGINT PRIMARY KEY,
  kind  TEXT NOT NULL,
  key   TEXT NOT NULL,
  until BIGINT NOT NULL, -- milliseconds; 0: of no use once every replica has seen it
  at    BIGINT NOT NULL
);

CREATE INDEX changes_by_until ON changes (until);

-- Few entries are not about a single token. This finds them among millions that are.
CREATE INDEX changes_of_many ON changes (until) WHERE kind <> 'token';

-- The head of the log. Its row lock is what makes the order of seq the order of commits.
CREATE TABLE feed_head (
  id  TEXT PRIMARY KEY,
  seq BIGINT NOT NULL
);
INSERT INTO feed_head (id, seq) VALUES ('head', 0);

-- Token signing keys; sealed is the private key under the root key, public its JWK.
CREATE TABLE signing_keys (
  id         TEXT PRIMARY KEY,
  sealed     BYTEA NOT NULL,
  public     TEXT NOT NULL,
  created_at BIGINT NOT NULL
);

CREATE TABLE audit_logs (
  id              TEXT PRIMARY KEY,
  org_id          TEXT NOT NULL,
  project_id      TEXT,
  actor_type      TEXT NOT NULL,
  actor_id        TEXT,
  actor_metadata  TEXT NOT NULL,
  event_type      TEXT NOT NULL,
  event_metadata  TEXT NOT NULL,
  ip              TEXT NOT NULL,
  user_agent      TEXT NOT NULL,
  user_agent_type TEXT NOT NULL,
  request_id      TEXT NOT NULL,
  created_at      BIGINT NOT NULL,
  expires_at      BIGINT NOT NULL
);
CREATE INDEX audit_logs_by_org ON audit_logs (org_id, created_at, id);
CREATE INDEX audit_logs_by_expiry ON audit_logs (expires_at);
