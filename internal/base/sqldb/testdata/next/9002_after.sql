-- +goose Up

-- A step of a release that does not exist, for tests: programs of the step before may run next to it, and today's may not. It waits for
-- whoever writes secrets, and they for it.
UPDATE feed_head SET oldest = 9001 WHERE oldest < 9001;
UPDATE secrets SET nobody_fills = '' WHERE nobody_fills IS NULL;
ALTER TABLE secrets ADD COLUMN nobody_reads TEXT NOT NULL DEFAULT '';
