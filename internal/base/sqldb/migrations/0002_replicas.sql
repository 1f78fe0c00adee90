-- +goose Up

-- The register: each server process that may be answering from memory. lease is in milliseconds.
CREATE TABLE replicas (
  id         TEXT PRIMARY KEY,
  name       TEXT NOT NULL,
  lease      BIGINT NOT NULL,
  beat       BIGINT NOT NULL, -- grows with each renewal
  applied    BIGINT NOT NULL, -- it knows every change up to this one
  started_at BIGINT NOT NULL,
  seen_at    BIGINT NOT NULL  -- for people to read; nothing is decided by it
);
