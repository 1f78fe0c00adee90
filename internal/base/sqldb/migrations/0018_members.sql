-- +goose Up

-- Who is not a member of an organization holds nothing there. Leaving used to keep memberships in projects, client secrets
-- and the administration of the instance, and joining again brought them back. The conditions on identities and on users are
-- statements of their own: with OR between them PostgreSQL would compare every row with every other.
DELETE FROM memberships WHERE scope = 'project' AND identity_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM memberships o
  WHERE o.scope = 'organization' AND o.org_id = memberships.org_id AND o.identity_id = memberships.identity_id);
DELETE FROM memberships WHERE scope = 'project' AND user_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM memberships o
  WHERE o.scope = 'organization' AND o.org_id = memberships.org_id AND o.user_id = memberships.user_id);
UPDATE client_secrets SET revoked = TRUE, ended_at = CASE WHEN ended_at < updated_at THEN ended_at ELSE updated_at END WHERE revoked = FALSE AND NOT EXISTS (SELECT 1 FROM memberships o
  WHERE o.scope = 'organization' AND o.identity_id = client_secrets.identity_id);
DELETE FROM instance_admins WHERE NOT EXISTS (SELECT 1 FROM memberships o
  WHERE o.scope = 'organization' AND o.identity_id = instance_admins.identity_id);

-- One membership for each member of an organization. Two requests at the same moment could make two; the older one stays.
DELETE FROM memberships WHERE scope = 'organization' AND identity_id IS NOT NULL AND EXISTS (SELECT 1 FROM memberships o
  WHERE o.scope = 'organization' AND o.org_id = memberships.org_id AND o.identity_id = memberships.identity_id AND o.id < memberships.id);
DELETE FROM memberships WHERE scope = 'organization' AND user_id IS NOT NULL AND EXISTS (SELECT 1 FROM memberships o
  WHERE o.scope = 'organization' AND o.org_id = memberships.org_id AND o.user_id = memberships.user_id AND o.id < memberships.id);
CREATE UNIQUE INDEX memberships_of_org_identities ON memberships (org_id, identity_id) WHERE scope = 'organization' AND identity_id IS NOT NULL;
CREATE UNIQUE INDEX memberships_of_org_users ON memberships (org_id, user_id) WHERE scope = 'organization' AND user_id IS NOT NULL;
