-- +goose Up

-- An index alone: older programs keep it up to date without knowing it.
UPDATE feed_head SET oldest = 19 WHERE oldest < 19;

-- Walks the stored tokens of an organization by their ids, which are in the order of their making.
CREATE INDEX access_tokens_by_org ON access_tokens (org_id, id);
