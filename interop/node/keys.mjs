// openid-client as the FAPI 2.0 Security Profile wants it, with no secret anywhere: it signs, pushes
// its requests, binds its tokens to a key, and its ID tokens come signed as it likes them and
// encrypted to its key.
import { exportJWK, generateKeyPair } from 'jose';
import * as oidc from 'openid-client';

import { createClient } from './admin.mjs';
import { CALLBACK, ensure, given, signIn } from './browser.mjs';

const { ISSUER, GATEWAY, USERNAME, PASSWORD } = given('ISSUER', 'GATEWAY', 'USERNAME', 'PASSWORD');
const CASES = [
  { auth: 'ES256', idToken: 'ES256' },
  { auth: 'Ed25519', idToken: 'Ed25519' },
  { auth: 'EdDSA', idToken: 'EdDSA' },
  { auth: 'PS256', idToken: 'PS256' },
  { auth: 'RS256', idToken: 'RS256', encryption: 'RSA-OAEP-256' },
  { auth: 'ES256', idToken: 'PS256', encryption: 'ECDH-ES' },
  { auth: 'ES256', idToken: 'ES256', encryption: 'ECDH-ES+A256KW' },
];

for (const { auth, idToken, encryption } of CASES) {
  const signing = await generateKeyPair(auth, { extractable: true });
  const keys = [{ ...await exportJWK(signing.publicKey), alg: auth, use: 'sig', kid: 'sig-1' }];
  let decryption;
  if (encryption) {
    decryption = await generateKeyPair(encryption, { extractable: true });
    keys.push({ ...await exportJWK(decryption.publicKey), alg: encryption, use: 'enc', kid: 'enc-1' });
  }
  const client = await createClient({
    client_name: `signs with ${auth}`,
    grant_types: ['authorization_code', 'refresh_token', 'client_credentials'],
    redirect_uris: [CALLBACK],
    scope: 'openid profile orders:read offline_access',
    token_endpoint_auth_method: 'private_key_jwt',
    jwks: { keys },
    id_token_signed_response_alg: idToken,
    require_pushed_authorization_requests: true,
    dpop_bound_access_tokens: true,
    ...encryption && {
      id_token_encrypted_response_alg: encryption,
      id_token_encrypted_response_enc: 'A256GCM',
    },
  });
  ensure(!client.client_secret, 'a client that signs was given a secret');
  const config = await oidc.discovery(
    new URL(ISSUER), client.client_id, { id_token_signed_response_alg: idToken },
    oidc.PrivateKeyJwt({ key: signing.privateKey, kid: 'sig-1' }),
    { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] },
  );
  if (encryption) {
    const key = { key: decryption.privateKey, kid: 'enc-1', alg: encryption };
    oidc.enableDecryptingResponses(config, ['A256GCM'], key);
  }
  const DPoP = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair(auth));
  const machine = await oidc.clientCredentialsGrant(config, { scope: 'orders:read' }, { DPoP });
  await accepted(config, machine.access_token, DPoP);

  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()];
  const callback = await signIn(
    await oidc.buildAuthorizationUrlWithPAR(config, {
      redirect_uri: CALLBACK,
      scope: 'openid profile orders:read offline_access',
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      state: expectedState,
      nonce: expectedNonce,
      prompt: 'login',
    }, { DPoP }),
    { username: USERNAME, password: PASSWORD },
  );
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
  const tokens = await oidc.authorizationCodeGrant(config, callback, checks, undefined, { DPoP });
  ensure(tokens.claims().aud === client.client_id, 'the ID token is for somebody else');
  await accepted(config, tokens.access_token, DPoP);
  const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
  await accepted(config, renewed.access_token, DPoP);
  const told = await oidc.tokenIntrospection(config, renewed.access_token);
  ensure(told.active && told.client_id === client.client_id, `told ${JSON.stringify(told)}`);
  await oidc.tokenRevocation(config, renewed.refresh_token);
}
console.log('ok: keys');

async function accepted(config, accessToken, DPoP) {
  const orders = new URL('/orders', GATEWAY);
  const response = await oidc.fetchProtectedResource(
    config, accessToken, orders, 'GET', undefined, undefined, { DPoP },
  );
  ensure(response.status === 200, `the gateway answers ${response.status}`);
}
