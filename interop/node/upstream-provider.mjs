// An identity provider of another maker, node-oidc-provider, for people of Tokenward to sign in at: every name
// opens an account, whatever the password. Says in one line that it listens.
import { generateKeyPairSync } from 'node:crypto';
import Provider from 'oidc-provider';

const { ADDRESS, CLIENT, SECRET, CALLBACK, LOGOUT } = process.env;
const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const provider = new Provider(`http://${ADDRESS}`, {
  clients: [{
    client_id: CLIENT,
    client_secret: SECRET,
    id_token_signed_response_alg: 'ES256',
    redirect_uris: [CALLBACK],
    response_types: ['code'],
    backchannel_logout_uri: LOGOUT,
    backchannel_logout_session_required: true,
  }],
  jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), kid: 'k1', alg: 'ES256', use: 'sig' }] },
  claims: {
    openid: ['sub'],
    email: ['email', 'email_verified'],
    profile: ['name', 'preferred_username', 'groups'],
  },
  findAccount: (ctx, id) => ({
    accountId: id,
    claims: () => ({
      sub: id,
      name: `${id} of elsewhere`,
      preferred_username: id,
      email: `${id}@there.example`,
      email_verified: true,
      groups: ['staff', 'other'],
    }),
  }),
  // Its own way reaches no loopback address, where all of this happens.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  features: {
    devInteractions: { enabled: true },
    backchannelLogout: { enabled: true },
    rpInitiatedLogout: { enabled: true },
  },
});
provider.on('backchannel.error', (ctx, error) => console.error(error));
const [host, port] = ADDRESS.split(':');
provider.listen(Number(port), host, () => console.log(JSON.stringify({ ready: true })));
