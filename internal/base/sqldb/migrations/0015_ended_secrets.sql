-- +goose Up

-- When a client secret ended, or will: by its TTL, its last use, or a revoke, whichever comes first. NULL: not by itself.
-- It is what lists leave out and cleaning up goes by.
ALTER TABLE client_secrets ADD COLUMN ended_at BIGINT;
UPDATE client_secrets SET ended_at = CASE
  WHEN revoked THEN updated_at
  WHEN uses_limit > 0 AND uses >= uses_limit THEN coalesce(last_used_at, updated_at)
  WHEN ttl > 0 THEN created_at + ttl * 1000
END;
CREATE INDEX client_secrets_by_end ON client_secrets (ended_at) WHERE ended_at IS NOT NULL;
