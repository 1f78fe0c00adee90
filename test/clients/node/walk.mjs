// Walks through what a service does with the Node SDK. It reads what to do it with from the environment, throws where an
// answer is not what it should be, and prints the access token that it had at its end.
import assert from 'node:assert/strict'
import { InfisicalSDK } from '@infisical/sdk'

const { SITE_URL, CLIENT_ID, CLIENT_SECRET, PROJECT_ID } = process.env
const sdk = new InfisicalSDK({ siteUrl: SITE_URL })
await sdk.auth().universalAuth.login({ clientId: CLIENT_ID, clientSecret: CLIENT_SECRET })
const dev = { environment: 'dev', projectId: PROJECT_ID }

const created = await sdk.secrets().createSecret('DB', { ...dev, secretValue: 'postgres://$1', secretComment: 'the database' })
assert.equal(created.secret.version, 1)
await sdk.secrets().createSecret('URL', { ...dev, secretValue: '${DB}/shop' })
const listed = await sdk.secrets().listSecrets({ ...dev, expandSecretReferences: true, includeImports: true })
assert.deepEqual(listed.secrets.map(s => [s.secretKey, s.secretValue]).sort(), [['DB', 'postgres://$1'], ['URL', 'postgres://$1/shop']])
const updated = await sdk.secrets().updateSecret('DB', { ...dev, secretValue: 'changed' })
assert.equal(updated.secret.version, 2)
assert.equal((await sdk.secrets().getSecret({ ...dev, secretName: 'DB' })).secretValue, 'changed')
assert.equal((await sdk.secrets().getSecret({ ...dev, secretName: 'DB', version: 1 })).secretValue, 'postgres://$1')
await sdk.secrets().deleteSecret('URL', dev)
await assert.rejects(sdk.secrets().getSecret({ ...dev, secretName: 'URL' }), /404|not found/i)

const folder = await sdk.folders().create({ ...dev, name: 'backend', path: '/' })
assert.equal(folder.name, 'backend')
assert.deepEqual((await sdk.folders().listFolders({ ...dev, path: '/' })).map(f => f.name), ['backend'])

const environment = await sdk.environments().create({ name: 'Test', projectId: PROJECT_ID, slug: 'test' })
assert.equal(environment.slug, 'test')
const project = await sdk.projects().create({ projectName: 'Another', type: 'secret-manager' })
assert.equal(project.name, 'Another')
const invited = await sdk.projects().inviteMembers({ projectId: PROJECT_ID, usernames: ['admin@example.com'], roleSlugs: ['viewer'] })
assert.deepEqual(invited.map(m => [m.projectId, m.role]), [[PROJECT_ID, 'viewer']])

await sdk.auth().universalAuth.renew()
console.log(sdk.auth().getAccessToken())
