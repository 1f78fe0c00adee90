-- +goose Up

-- How many tokens that have no row an actor has revoked by their ids since a time in milliseconds: each is remembered for the
-- longest life of a token, and may be made up.
CREATE TABLE unlisted_revocations (
  actor_id TEXT PRIMARY KEY,
  total    BIGINT NOT NULL,
  since    BIGINT NOT NULL
);
CREATE INDEX unlisted_revocations_by_since ON unlisted_revocations (since);
