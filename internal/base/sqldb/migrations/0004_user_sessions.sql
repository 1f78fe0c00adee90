-- +goose Up

-- A row for each login of a user, for as long as its tokens may live. Times are milliseconds.
CREATE TABLE user_sessions (
  id              TEXT PRIMARY KEY,
  user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  org_id          TEXT REFERENCES organizations (id), -- which one was chosen last
  born            BIGINT NOT NULL, -- feed sequence; below a cut-off the session is dead
  refresh_version BIGINT NOT NULL, -- of the refresh token that is good now
  refreshed_at    BIGINT NOT NULL, -- when that token was made
  ip              TEXT NOT NULL,
  user_agent      TEXT NOT NULL,
  last_used_at    BIGINT NOT NULL,
  expires_at      BIGINT NOT NULL,
  created_at      BIGINT NOT NULL,
  updated_at      BIGINT NOT NULL
);
CREATE INDEX user_sessions_by_user ON user_sessions (user_id, created_at, id);
CREATE INDEX user_sessions_by_expiry ON user_sessions (expires_at);
