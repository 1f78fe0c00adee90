-- +goose Up

-- The secrets of folders. user_id set: a personal one, which its user alone sees in place of the shared one of its name.
-- What a secret says stands in its versions: 1, 2, 3, ... without gaps; version is the one in force.
CREATE TABLE secrets (
  id         TEXT PRIMARY KEY,
  folder_id  TEXT NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
  key        TEXT NOT NULL,
  user_id    TEXT REFERENCES users (id) ON DELETE CASCADE,
  version    BIGINT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX secrets_by_key ON secrets (folder_id, key, (coalesce(user_id, '')));
CREATE INDEX secrets_of_users ON secrets (user_id) WHERE user_id IS NOT NULL;

-- What is sealed is sealed with the project's data key and bound to its project, secret, version and field.
CREATE TABLE secret_versions (
  secret_id      TEXT NOT NULL REFERENCES secrets (id) ON DELETE CASCADE,
  version        BIGINT NOT NULL,
  value          BYTEA NOT NULL, -- sealed
  comment        BYTEA,          -- sealed; none if NULL
  metadata       TEXT NOT NULL,  -- JSON list of pairs, some of them sealed
  tags           TEXT NOT NULL,  -- ids of tags, with spaces between; one of a tag that is gone counts for nothing
  skip_multiline BOOLEAN NOT NULL,
  reminder_note  TEXT,
  reminder_days  BIGINT,
  created_at     BIGINT NOT NULL,
  PRIMARY KEY (secret_id, version)
);

-- The links by which a folder shows the secrets of others: those of the folder that lies at path in an environment, if
-- there is one.
CREATE TABLE secret_imports (
  id             TEXT PRIMARY KEY,
  folder_id      TEXT NOT NULL REFERENCES folders (id) ON DELETE CASCADE,
  environment_id TEXT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
  path           TEXT NOT NULL,
  position       BIGINT NOT NULL, -- 1, 2, 3, ... in its folder; a later one wins
  version        BIGINT NOT NULL,
  created_at     BIGINT NOT NULL,
  updated_at     BIGINT NOT NULL,
  UNIQUE (folder_id, environment_id, path)
);
CREATE INDEX secret_imports_by_environment ON secret_imports (environment_id);
