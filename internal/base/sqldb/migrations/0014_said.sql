-- +goose Up

-- What rules saw of a secret when an older version of it was in force. The version is shown to those alone who may read the
-- secret as it is now and as it was then. The tags of versions that are older than this table knows are those of the version.
ALTER TABLE secret_versions ADD COLUMN said_environment TEXT; -- slug
ALTER TABLE secret_versions ADD COLUMN said_path TEXT;
ALTER TABLE secret_versions ADD COLUMN said_key TEXT;
ALTER TABLE secret_versions ADD COLUMN said_tags TEXT;        -- slugs, with spaces between

UPDATE secret_versions SET (said_environment, said_path, said_key) =
  (SELECT e.slug, f.path, s.key FROM secrets s JOIN folders f ON f.id = s.folder_id JOIN environments e ON e.id = f.environment_id
    WHERE s.id = secret_versions.secret_id);
