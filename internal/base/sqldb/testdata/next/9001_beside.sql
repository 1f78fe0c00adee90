-- +goose Up

-- A step of a release that does not exist, for tests: programs of schema version 19 may run next to it.
UPDATE feed_head SET oldest = 19 WHERE oldest < 19;
ALTER TABLE secrets ADD COLUMN nobody_fills TEXT;
CREATE INDEX secrets_nobody_fills ON secrets (nobody_fills);
