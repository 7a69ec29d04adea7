// openid-client against a running server, with jose to verify what it gets. The phase `keys` prints
// new key pairs; the phase `run` gets them back in STAGE, with what else it has to know, and prints a
// line for each case that held.

import assert from 'node:assert/strict'
import * as jose from 'jose'
import * as client from 'openid-client'

const TOKEN_EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange'
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token'
const ALGORITHMS = ['RS256', 'ES256', 'Ed25519']

const stage = JSON.parse(process.env.STAGE)

async function makeKeys() {
  const pairs = {}
  for (const algorithm of ALGORITHMS) {
    const pair = await jose.generateKeyPair(algorithm, { extractable: true })
    const named = { alg: algorithm, kid: `key of ${algorithm}`.replaceAll(' ', '-') }
    pairs[algorithm] = {
      public: { ...(await jose.exportJWK(pair.publicKey)), ...named, use: 'sig' },
      private: { ...(await jose.exportJWK(pair.privateKey)), ...named },
    }
  }
  console.log(JSON.stringify(pairs))
}

function discover(clientId, authentication, algorithm = 'oauth2') {
  return client.discovery(new URL(stage.issuer), clientId, undefined, authentication, {
    algorithm,
    execute: [client.allowInsecureRequests],
  })
}

async function metadata(algorithm) {
  const config = await discover(stage.clientId, client.None(), algorithm)
  const server = config.serverMetadata()
  assert.equal(server.issuer, stage.issuer)
  assert.equal(server.token_endpoint, stage.tokenUrl)
  // Token exchange works at another address than the one these metadata name.
  assert.deepEqual(server.grant_types_supported, ['client_credentials'])
  for (const method of ['client_secret_basic', 'client_secret_post', 'private_key_jwt']) {
    assert.ok(server.token_endpoint_auth_methods_supported.includes(method), method)
  }
  for (const name of ALGORITHMS) {
    assert.ok(server.token_endpoint_auth_signing_alg_values_supported.includes(name), name)
  }
}

async function verify(config, token) {
  const { issuer, jwks_uri } = config.serverMetadata()
  const keys = jose.createRemoteJWKSet(new URL(jwks_uri))
  const expected = { issuer, audience: stage.audience, algorithms: ['RS256'] }
  const { payload } = await jose.jwtVerify(token, keys, expected)
  assert.equal(payload.client_id, config.clientMetadata().client_id)
  return payload
}

async function opensTheApi(token, status) {
  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(stage.resource, { headers })
  assert.equal(answer.status, status, await answer.text())
}

async function getsUsesAndEndsAToken(clientId, authentication) {
  const config = await discover(clientId, authentication)
  const answer = await client.clientCredentialsGrant(config)
  assert.equal(answer.token_type, 'bearer')
  // What is left when the answer is written; a busy machine writes late.
  assert.ok(answer.expires_in > 7100 && answer.expires_in <= 7200, String(answer.expires_in))
  const token = answer.access_token
  await verify(config, token)
  await opensTheApi(token, 200)

  const seen = await client.tokenIntrospection(config, token)
  assert.equal(seen.active, true)
  assert.equal(seen.client_id, clientId)
  await client.tokenRevocation(config, token)
  assert.deepEqual(await client.tokenIntrospection(config, token), { active: false })
  await opensTheApi(token, 401)
}

async function authenticatesWithAKey(algorithm) {
  const { id, key } = stage.keyClients[algorithm]
  const signing = { key: await jose.importJWK(key), kid: key.kid }
  await getsUsesAndEndsAToken(id, client.PrivateKeyJwt(signing))
}

async function readsWhatAWrongSecretIsTold(authentication, kind, check) {
  const config = await discover(stage.clientId, authentication('wrong'))
  await assert.rejects(client.clientCredentialsGrant(config), (error) => {
    assert.ok(error instanceof kind, String(error))
    assert.equal(error.status, 401)
    check(error)
    return true
  })
}

async function exchanges(authentication) {
  const config = await discover(stage.clientId, client.ClientSecretBasic(stage.clientSecret))
  const subject = (await client.clientCredentialsGrant(config)).access_token
  const server = { ...config.serverMetadata(), token_endpoint: stage.tenantTokenUrl }
  const tenant = new client.Configuration(server, stage.clientId, undefined, authentication)
  client.allowInsecureRequests(tenant)
  const answer = await client.genericGrantRequest(tenant, TOKEN_EXCHANGE, {
    subject_token: subject,
    subject_token_type: ACCESS_TOKEN,
  })
  assert.equal(answer.issued_token_type, ACCESS_TOKEN)
  const [before, after] = [await verify(config, subject), await verify(tenant, answer.access_token)]
  assert.notEqual(after.platform_customer_id, before.platform_customer_id)
  assert.ok(stage.tenantTokenUrl.includes(after.platform_customer_id))
  assert.ok(after.exp <= before.exp)
  await opensTheApi(answer.access_token, 200)
  await opensTheApi(subject, 200)
}

const { ClientSecretBasic, ClientSecretPost } = client
const cases = {
  'oauth2 metadata': () => metadata('oauth2'),
  'oidc metadata': () => metadata('oidc'),
  client_secret_basic: () =>
    getsUsesAndEndsAToken(stage.clientId, ClientSecretBasic(stage.clientSecret)),
  client_secret_post: () =>
    getsUsesAndEndsAToken(stage.clientId, ClientSecretPost(stage.clientSecret)),
  'private_key_jwt RS256': () => authenticatesWithAKey('RS256'),
  'private_key_jwt ES256': () => authenticatesWithAKey('ES256'),
  'private_key_jwt Ed25519': () => authenticatesWithAKey('Ed25519'),
  'wrong secret by client_secret_basic': () =>
    readsWhatAWrongSecretIsTold(ClientSecretBasic, client.WWWAuthenticateChallengeError, (error) =>
      assert.equal(error.cause[0].scheme, 'basic'),
    ),
  'wrong secret by client_secret_post': () =>
    readsWhatAWrongSecretIsTold(ClientSecretPost, client.ResponseBodyError, (error) =>
      assert.equal(error.error, 'invalid_client'),
    ),
  'token exchange without authentication': () => exchanges(client.None()),
  'token exchange by client_secret_post': () => exchanges(ClientSecretPost(stage.clientSecret)),
}

if (process.argv[2] === 'keys') {
  await makeKeys()
} else {
  for (const [name, holds] of Object.entries(cases)) {
    await holds()
    console.log(name)
  }
}
