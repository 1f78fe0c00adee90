-- +goose Up

-- A step of a release that does not exist, for tests: no older program may run next to it.
UPDATE feed_head SET oldest = 9003 WHERE oldest < 9003;
DROP INDEX secrets_nobody_fills;
ALTER TABLE secrets DROP COLUMN nobody_fills;
