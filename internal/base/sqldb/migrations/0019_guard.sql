-- +goose Up

-- The version guard (docs/architecture.md, "Versions side by side"). Each step from here on states, first of all, the
-- oldest schema version whose programs can serve what it leaves behind.
ALTER TABLE feed_head ADD COLUMN oldest BIGINT NOT NULL DEFAULT 0;
UPDATE feed_head SET oldest = 19 WHERE oldest < 19;

-- Programs from before the guard do not read that. Without the log under its old name they can decide nothing, and no change
-- of theirs is committed.
ALTER TABLE changes RENAME TO change_log;

-- Of which program a replica runs, and the newest schema version that it knows. A row without them is of a program from before
-- the guard.
ALTER TABLE replicas ADD COLUMN version TEXT;
ALTER TABLE replicas ADD COLUMN schema BIGINT;

-- Whoever answers from memory is in the register, so nobody does when it is empty. The migrator has seen to that; one who has come
-- since undoes this step.
CREATE TABLE guard (replicas BIGINT NOT NULL CONSTRAINT nobody_is_registered CHECK (replicas = 0));
INSERT INTO guard (replicas) SELECT count(*) FROM replicas;
DROP TABLE guard;

-- What older programs left behind that ran next to a newer one. Steps 9, 11, 14, 15 and 18 filled columns, or took rows away, once;
-- what was written afterwards by a program from before them lacks the first and may have the second.
UPDATE secret_versions SET project_key_id = (SELECT e.project_id FROM secrets s JOIN folders f ON f.id = s.folder_id
  JOIN environments e ON e.id = f.environment_id JOIN project_keys k ON k.id = e.project_id WHERE s.id = secret_versions.secret_id)
  WHERE project_key_id IS NULL;
UPDATE secrets SET (updated_at, project_key_id, tags, skip_multiline, reminder_days, reminder_note, metadata, comment, value) =
  (SELECT v.created_at, v.project_key_id, v.tags, v.skip_multiline, v.reminder_days, v.reminder_note, v.metadata, v.comment, v.value
    FROM secret_versions v WHERE v.secret_id = secrets.id AND v.version = secrets.version)
  WHERE value IS NULL AND EXISTS (SELECT 1 FROM secret_versions v WHERE v.secret_id = secrets.id AND v.version = secrets.version);
DELETE FROM secret_versions WHERE EXISTS
  (SELECT 1 FROM secrets s WHERE s.id = secret_versions.secret_id AND s.version = secret_versions.version);
UPDATE secrets SET project_key_id = (SELECT e.project_id FROM folders f JOIN environments e ON e.id = f.environment_id
  JOIN project_keys k ON k.id = e.project_id WHERE f.id = secrets.folder_id) WHERE project_key_id IS NULL;
UPDATE secret_versions SET (said_environment, said_path, said_key) =
  (SELECT e.slug, f.path, s.key FROM secrets s JOIN folders f ON f.id = s.folder_id JOIN environments e ON e.id = f.environment_id
    WHERE s.id = secret_versions.secret_id) WHERE said_key IS NULL;
UPDATE client_secrets SET ended_at = CASE
  WHEN revoked THEN updated_at
  WHEN uses_limit > 0 AND uses >= uses_limit THEN coalesce(last_used_at, updated_at)
  WHEN ttl > 0 THEN created_at + ttl * 1000
END WHERE ended_at IS NULL;
UPDATE signing_keys SET root_key_id = (SELECT max(id) FROM root_keys) WHERE root_key_id IS NULL AND (SELECT count(*) FROM root_keys) = 1;
UPDATE auth_configs SET root_key_id = (SELECT max(id) FROM root_keys) WHERE root_key_id IS NULL AND (SELECT count(*) FROM root_keys) = 1;
UPDATE organization_keys SET root_key_id = (SELECT max(id) FROM root_keys) WHERE root_key_id IS NULL AND (SELECT count(*) FROM root_keys) = 1;
UPDATE instance SET root_key_id = (SELECT max(id) FROM root_keys) WHERE root_key_id IS NULL AND pepper IS NOT NULL AND (SELECT count(*) FROM root_keys) = 1;
DELETE FROM memberships WHERE scope = 'project' AND identity_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM memberships o
  WHERE o.scope = 'organization' AND o.org_id = memberships.org_id AND o.identity_id = memberships.identity_id);
DELETE FROM memberships WHERE scope = 'project' AND user_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM memberships o
  WHERE o.scope = 'organization' AND o.org_id = memberships.org_id AND o.user_id = memberships.user_id);
UPDATE client_secrets SET revoked = TRUE, ended_at = CASE WHEN ended_at < updated_at THEN ended_at ELSE updated_at END WHERE revoked = FALSE AND NOT EXISTS (SELECT 1 FROM memberships o
  WHERE o.scope = 'organization' AND o.identity_id = client_secrets.identity_id);
DELETE FROM instance_admins WHERE NOT EXISTS (SELECT 1 FROM memberships o
  WHERE o.scope = 'organization' AND o.identity_id = instance_admins.identity_id);
