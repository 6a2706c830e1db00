// openid-client against a client that has to keep the FAPI 2.0 Security Profile, and what the profile
// forbids.
import { exportJWK, generateKeyPair } from 'jose';
import * as oidc from 'openid-client';

import { createClient } from './admin.mjs';
import { ensure, given, signIn } from './browser.mjs';

const { ISSUER, GATEWAY, USERNAME, PASSWORD } = given('ISSUER', 'GATEWAY', 'USERNAME', 'PASSWORD');
const ORDERS = new URL('/orders', GATEWAY);
const PERSON = { username: USERNAME, password: PASSWORD };
// The profile takes https alone; the address is only read.
const CALLBACK = 'https://app.example/callback';

const signing = await generateKeyPair('PS256', { extractable: true });
const client = await createClient({
  client_name: 'Account information',
  profile: 'fapi2',
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: [CALLBACK],
  scope: 'openid orders:read offline_access',
  token_endpoint_auth_method: 'private_key_jwt',
  jwks: { keys: [{ ...await exportJWK(signing.publicKey), alg: 'PS256', use: 'sig', kid: 'sig-1' }] },
  id_token_signed_response_alg: 'PS256',
});
const config = await oidc.discovery(
  new URL(ISSUER), client.client_id, { id_token_signed_response_alg: 'PS256' },
  oidc.PrivateKeyJwt({ key: signing.privateKey, kid: 'sig-1' }, {
    // FAPI 2.0 §5.3.2.1: the issuer alone is the audience of an assertion.
    [oidc.modifyAssertion]: (_header, payload) => { payload.aud = ISSUER; },
  }),
  { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] },
);
const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair('PS256'));
const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
const expectedNonce = oidc.randomNonce();
const parameters = {
  redirect_uri: CALLBACK,
  scope: 'openid orders:read offline_access',
  code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
  nonce: expectedNonce,
};
const callback = await signIn(
  await oidc.buildAuthorizationUrlWithPAR(config, parameters, { DPoP }), PERSON, CALLBACK,
);
const checks = { pkceCodeVerifier, expectedNonce, idTokenExpected: true };
const tokens = await oidc.authorizationCodeGrant(config, callback, checks, undefined, { DPoP });
ensure(tokens.token_type === 'dpop', `token_type is ${tokens.token_type}`);
const response = await oidc.fetchProtectedResource(
  config, tokens.access_token, ORDERS, 'GET', undefined, undefined, { DPoP },
);
ensure(response.status === 200, `the gateway answers ${response.status}`);
await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });

// Not pushed: the answer goes to the client, and there is no code in it.
const plain = await signIn(oidc.buildAuthorizationUrl(config, parameters), PERSON, CALLBACK);
ensure(plain.searchParams.get('error') === 'invalid_request', `without a push: ${plain}`);
// Not bound to a key.
const bare = await oidc.refreshTokenGrant(config, tokens.refresh_token)
  .then(() => undefined, (error) => error);
ensure(bare?.error === 'invalid_dpop_proof', `without a proof: ${bare}`);
console.log('ok: FAPI 2.0');
