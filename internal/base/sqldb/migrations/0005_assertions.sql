-- +goose Up

-- Signed tokens that were good for one login and have had it. A row matters only until its token expires.
CREATE TABLE assertions (
  id         TEXT PRIMARY KEY, -- SHA-256 of method, identity, issuer and jti, in hex
  expires_at BIGINT NOT NULL
);
CREATE INDEX assertions_by_expiry ON assertions (expires_at);
