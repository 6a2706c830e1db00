// An identity provider of another maker, node-oidc-provider, for the gateway to take tokens of: JWTs for one
// resource, opaque ones for another. Its keys are in the file KEYS, which is made when it is not there; with
// ROTATE a new key signs, and those of before stay published. Says in one line what it gives to begin with.
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import Provider from 'oidc-provider';

const { ADDRESS, AUDIENCE, KEYS, ROTATE } = process.env;
const keys = existsSync(KEYS) ? JSON.parse(readFileSync(KEYS)) : [];
if (keys.length === 0 || ROTATE) {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  keys.unshift({ ...privateKey.export({ format: 'jwk' }), kid: `k${keys.length}`, alg: 'ES256', use: 'sig' });
  writeFileSync(KEYS, JSON.stringify(keys));
}

const jwt = { accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } };
const resources = {
  'urn:api': { ...jwt, audience: AUDIENCE },
  'urn:short': { ...jwt, audience: AUDIENCE, accessTokenTTL: 1 },
  'urn:other': { ...jwt, audience: 'https://elsewhere.example' },
  'urn:opaque': { accessTokenFormat: 'opaque', audience: AUDIENCE },
};
const provider = new Provider(`http://${ADDRESS}`, {
  clients: [{
    client_id: 'app',
    client_secret: 'app-secret-app-secret',
    id_token_signed_response_alg: 'ES256',
    grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
    redirect_uris: ['https://app.example/callback'],
    response_types: ['code'],
  }],
  jwks: { keys },
  claims: { openid: ['sub'] },
  findAccount: (ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
    revocation: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (ctx, resource) => ({ scope: 'health', ...resources[resource] }),
    },
  },
});

// What alice gave the application once, as if she had just signed in.
const client = await provider.Client.find('app');
const grant = new provider.Grant({ accountId: 'alice', clientId: 'app' });
grant.addOIDCScope('openid offline_access');
grant.addResourceScope('urn:api', 'health');
const refresh = await new provider.RefreshToken({
  accountId: 'alice',
  client,
  grantId: await grant.save(),
  gty: 'authorization_code',
  scope: 'openid offline_access health',
  resource: 'urn:api',
  authTime: Math.floor(Date.now() / 1000),
  amr: ['pwd'],
}).save();
const [host, port] = ADDRESS.split(':');
provider.listen(Number(port), host, () => console.log(JSON.stringify({ refresh })));
