-- +goose Up

-- The key of the HMACs under which client secrets are kept, sealed with the root key.
ALTER TABLE instance ADD COLUMN pepper BYTEA;

-- Which configuration of Universal Auth a client id belongs to.
CREATE TABLE universal_clients (
  client_id   TEXT PRIMARY KEY,
  config_id   TEXT NOT NULL REFERENCES auth_configs (id) ON DELETE CASCADE,
  identity_id TEXT NOT NULL
);
CREATE INDEX universal_clients_by_config ON universal_clients (config_id);

CREATE TABLE client_secrets (
  id           TEXT PRIMARY KEY,
  config_id    TEXT NOT NULL REFERENCES auth_configs (id) ON DELETE CASCADE,
  identity_id  TEXT NOT NULL,
  hash         TEXT NOT NULL UNIQUE, -- HMAC-SHA-256 of the secret, in hex
  prefix       TEXT NOT NULL,        -- its first characters, for people to tell it apart
  description  TEXT NOT NULL,
  uses         BIGINT NOT NULL,
  uses_limit   BIGINT NOT NULL,      -- 0: unlimited
  ttl          BIGINT NOT NULL,      -- seconds; 0: for ever
  revoked      BOOLEAN NOT NULL,
  last_used_at BIGINT,
  created_at   BIGINT NOT NULL,
  updated_at   BIGINT NOT NULL
);
CREATE INDEX client_secrets_by_config ON client_secrets (config_id, created_at, id);

-- Failed logins: of one caller by its address, and of all callers together with an empty one.
CREATE TABLE lockouts (
  method       TEXT NOT NULL,
  target       TEXT NOT NULL, -- identity id, or a bucket of client ids that do not exist
  caller       TEXT NOT NULL,
  failures     BIGINT NOT NULL,
  last_at      BIGINT NOT NULL,
  locked_until BIGINT NOT NULL,
  PRIMARY KEY (method, target, caller)
);
CREATE INDEX lockouts_by_age ON lockouts (last_at);
