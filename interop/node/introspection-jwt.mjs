// oauth4webapi as a resource server that wants introspection signed (RFC 9701), and encrypted.
import { compactDecrypt, exportJWK, generateKeyPair } from 'jose';
import * as oauth from 'oauth4webapi';

import { createClient } from './admin.mjs';
import { ensure, given } from './browser.mjs';

const { ISSUER, TOKEN, CLIENT_ID } = given('ISSUER', 'TOKEN', 'CLIENT_ID');
const plain = { [oauth.allowInsecureRequests]: true };
const issuer = new URL(ISSUER);
const as = await oauth.processDiscoveryResponse(
  issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plain }),
);
for (const algorithm of ['ES256', 'PS256', 'Ed25519']) {
  const client = await createClient({
    client_name: `reads ${algorithm}`,
    grant_types: ['client_credentials'],
    scope: 'orders:read',
    introspection_signed_response_alg: algorithm,
  });
  const told = await introspection(client, TOKEN);
  ensure(told.active && told.client_id === CLIENT_ID, `introspection: ${JSON.stringify(told)}`);
  const unknown = await introspection(client, 'no token');
  ensure(unknown.active === false, `introspection: ${JSON.stringify(unknown)}`);
}
// To be decrypted by who asks: the library hands the whole to a function of its caller.
const { publicKey, privateKey } = await generateKeyPair('ECDH-ES', { extractable: true });
const encrypting = await createClient({
  client_name: 'reads what only it can read',
  grant_types: ['client_credentials'],
  scope: 'orders:read',
  jwks: { keys: [{ ...await exportJWK(publicKey), alg: 'ECDH-ES', use: 'enc', kid: 'enc-1' }] },
  introspection_signed_response_alg: 'ES256',
  introspection_encrypted_response_alg: 'ECDH-ES',
  introspection_encrypted_response_enc: 'A256GCM',
});
const decryption = {
  [oauth.jweDecrypt]: async (jwe) => {
    const { plaintext } = await compactDecrypt(jwe, privateKey);
    return new TextDecoder().decode(plaintext);
  },
};
const told = await introspection(encrypting, TOKEN, decryption);
ensure(told.active, `introspection: ${JSON.stringify(told)}`);
console.log('ok: signed introspection');

async function introspection(registered, token, options = {}) {
  const client = {
    client_id: registered.client_id,
    introspection_signed_response_alg: registered.introspection_signed_response_alg,
  };
  const auth = oauth.ClientSecretBasic(registered.client_secret);
  const response = await oauth.introspectionRequest(
    as, client, auth, token, { requestJwtResponse: true, ...plain },
  );
  const kind = response.headers.get('content-type');
  ensure(kind === 'application/token-introspection+jwt', `the answer is ${kind}`);
  const read = await oauth.processIntrospectionResponse(as, client, response, options);
  if (!options[oauth.jweDecrypt]) await oauth.validateApplicationLevelSignature(as, response, plain);
  return read;
}
