// node-oidc-provider with one client and JWT access tokens signed with ES256.
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const [host, port] = process.env.ADDRESS.split(':');
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = { ...privateKey.export({ format: 'jwk' }), kid: 'k', alg: 'ES256', use: 'sig' };
const provider = new Provider(`http://${process.env.ADDRESS}`, {
  clients: [{ client_id: 'load', id_token_signed_response_alg: 'ES256', client_secret: 'load-secret-load-secret', grant_types: ['client_credentials'], redirect_uris: [], response_types: [] }],
  jwks: { keys: [key] },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({ scope: 'orders:read', audience: 'https://api.example.com', accessTokenFormat: 'jwt', jwt: { sign: { alg: 'ES256' } } }),
    },
  },
});
provider.listen(Number(port), host);
