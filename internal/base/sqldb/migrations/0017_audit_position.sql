-- +goose Up

-- The place of an event in the order in which events became visible: 1, 2, 3, ... without two alike. 0: the event waits
-- for it, which takes a moment.
ALTER TABLE audit_logs ADD COLUMN position BIGINT NOT NULL DEFAULT 0;
UPDATE audit_logs SET position = numbered.n FROM
  (SELECT id AS event_id, row_number() OVER (ORDER BY created_at, id) AS n FROM audit_logs) AS numbered
  WHERE numbered.event_id = audit_logs.id;
CREATE INDEX audit_logs_by_position ON audit_logs (position, org_id);

-- The one row of the newest position. Its lock makes the order of positions that in which they become visible.
CREATE TABLE audit_head (
  id       TEXT PRIMARY KEY,
  position BIGINT NOT NULL
);
INSERT INTO audit_head (id, position) SELECT 'head', coalesce(max(position), 0) FROM audit_logs;
