-- +goose Up

-- A replica of version 19 makes no links and deactivates nobody. Someone who is deactivated has no password hash and no session, so
-- it does not let them in either.
UPDATE feed_head SET oldest = 19 WHERE oldest < 19;

-- Links that let a person in once: to accept an invitation, or to set a new password. The secret part is kept as a hash.
CREATE TABLE user_links (
  hash       TEXT PRIMARY KEY, -- SHA-256 of 256 random bits, in hex
  user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  purpose    TEXT NOT NULL,    -- 'invitation' or 'password-reset'
  expires_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  UNIQUE (user_id, purpose)
);
CREATE INDEX user_links_by_expiry ON user_links (expires_at);

-- Someone who is deactivated cannot log in. Their password hash waits in kept_hash, and is put back when they are activated.
ALTER TABLE users ADD COLUMN deactivated_at BIGINT;
ALTER TABLE users ADD COLUMN kept_hash TEXT;
