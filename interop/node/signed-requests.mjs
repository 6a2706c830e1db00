// openid-client signs its authorization requests (RFC 9101) and reads signed and encrypted answers
// (JARM).
import { exportJWK, generateKeyPair } from 'jose';
import * as oidc from 'openid-client';

import { createClient } from './admin.mjs';
import { CALLBACK, ensure, given, signIn } from './browser.mjs';

const { ISSUER, USERNAME, PASSWORD } = given('ISSUER', 'USERNAME', 'PASSWORD');
const PERSON = { username: USERNAME, password: PASSWORD };

for (const [request, answer, encryption] of [
  ['ES256', 'ES256'],
  ['PS256', 'PS256'],
  ['RS256', 'RS256', 'RSA-OAEP-256'],
  ['Ed25519', 'Ed25519', 'ECDH-ES'],
]) {
  const signing = await generateKeyPair(request, { extractable: true });
  const keys = [{ ...await exportJWK(signing.publicKey), alg: request, use: 'sig', kid: 'sig-1' }];
  const decryption = encryption && await generateKeyPair(encryption, { extractable: true });
  if (encryption) {
    keys.push({ ...await exportJWK(decryption.publicKey), alg: encryption, use: 'enc', kid: 'enc-1' });
  }
  const client = await createClient({
    client_name: `asks with ${request}`,
    grant_types: ['authorization_code'],
    redirect_uris: [CALLBACK],
    scope: 'openid profile',
    jwks: { keys },
    request_object_signing_alg: request,
    require_signed_request_object: true,
    authorization_signed_response_alg: answer,
    ...encryption && {
      authorization_encrypted_response_alg: encryption,
      authorization_encrypted_response_enc: 'A256GCM',
    },
  });
  const config = await oidc.discovery(
    new URL(ISSUER), client.client_id, { authorization_signed_response_alg: answer },
    oidc.ClientSecretBasic(client.client_secret), { execute: [oidc.allowInsecureRequests] },
  );
  oidc.useJwtResponseMode(config);
  if (encryption) {
    const key = { key: decryption.privateKey, kid: 'enc-1', alg: encryption };
    oidc.enableDecryptingResponses(config, ['A256GCM'], key);
  }
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const [expectedState, expectedNonce] = [oidc.randomState(), oidc.randomNonce()];
  const parameters = {
    redirect_uri: CALLBACK,
    scope: 'openid profile',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
    prompt: 'login',
  };
  const signed = await oidc.buildAuthorizationUrlWithJAR(
    config, parameters, { key: signing.privateKey, kid: 'sig-1' },
  );
  const callback = await signIn(signed, PERSON);
  ensure([...callback.searchParams.keys()].join() === 'response', `the answer is ${callback}`);
  const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
  const tokens = await oidc.authorizationCodeGrant(config, callback, checks);
  ensure(tokens.claims().aud === client.client_id, 'the ID token is for somebody else');

  // The same request without a signature is refused, by a signed answer.
  const refused = await signIn(oidc.buildAuthorizationUrl(config, parameters), PERSON);
  const error = await oidc.authorizationCodeGrant(config, refused, checks)
    .then(() => undefined, (error) => error);
  ensure(error?.error === 'invalid_request', `an unsigned request was taken: ${error}`);
}
console.log('ok: signed requests and answers');
