// node-oidc-provider as it comes, with one client and one person: JWT access tokens signed with ES256 for
// the API (nothing of them is stored), opaque ones for UserInfo and introspection, refresh without
// rotation, its own store in memory. Writes tokens to begin with into the file SEED when it listens.
import { generateKeyPairSync } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import Provider from 'oidc-provider';

const API = 'https://api.example.com';
const TOKENS = 128;
const LIFE = 24 * 3600;
const [host, port] = process.env.ADDRESS.split(':');
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = { ...privateKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' };
const provider = new Provider(`http://${process.env.ADDRESS}`, {
  clients: [{
    client_id: 'load',
    client_secret: 'load-secret-load-secret',
    id_token_signed_response_alg: 'ES256',
    grant_types: ['client_credentials', 'authorization_code', 'refresh_token'],
    redirect_uris: ['https://app.example/callback'],
    response_types: ['code'],
  }],
  jwks: { keys: [key] },
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email', 'email_verified'] },
  findAccount: (ctx, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: 'Alice Liddell', preferred_username: 'alice', email: 'alice@example.com', email_verified: true }),
  }),
  rotateRefreshToken: false,
  ttl: { AccessToken: LIFE, ClientCredentials: 3600, Grant: LIFE, IdToken: 3600, RefreshToken: LIFE },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({ scope: 'orders:read', audience: API, accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
    },
  },
});

const scope = 'openid profile email offline_access orders:read';
const client = await provider.Client.find('load');
const grant = new provider.Grant({ accountId: 'alice', clientId: 'load' });
grant.addOIDCScope('openid profile email offline_access');
grant.addResourceScope(API, 'orders:read');
const grantId = await grant.save();
const common = { accountId: 'alice', client, grantId, gty: 'authorization_code' };
const access = [];
for (let n = 0; n < TOKENS; n += 1) {
  access.push(await new provider.AccessToken({ ...common, scope: 'openid profile email' }).save());
}
const authTime = Math.floor(Date.now() / 1000);
const refresh = await new provider.RefreshToken({ ...common, scope, resource: API, authTime, amr: ['pwd'] }).save();
provider.listen(Number(port), host, () => {
  writeFileSync(`${process.env.SEED}.new`, JSON.stringify({ access, refresh }));
  renameSync(`${process.env.SEED}.new`, process.env.SEED);
});
