// openid-client, a certified relying party, through the whole life of a sign-in.
import * as oidc from 'openid-client';

import { CALLBACK, ensure, given, signIn } from './browser.mjs';

const { ISSUER, GATEWAY, CLIENT_ID, CLIENT_SECRET, USERNAME, PASSWORD } = given(
  'ISSUER', 'GATEWAY', 'CLIENT_ID', 'CLIENT_SECRET', 'USERNAME', 'PASSWORD',
);
const ORDERS = new URL('/orders', GATEWAY);

const config = await oidc.discovery(
  new URL(ISSUER), CLIENT_ID, undefined, oidc.ClientSecretBasic(CLIENT_SECRET),
  // The id_token's signature is checked too, although it comes over a direct connection.
  { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] },
);
ensure(config.serverMetadata().supportsPKCE(), 'discovery does not announce S256');

const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
const expectedState = oidc.randomState();
const expectedNonce = oidc.randomNonce();
const callback = await signIn(
  oidc.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: 'openid profile email orders:read',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    nonce: expectedNonce,
  }),
  { username: USERNAME, password: PASSWORD },
);
const checks = { pkceCodeVerifier, expectedState, expectedNonce, idTokenExpected: true };
const tokens = await oidc.authorizationCodeGrant(config, callback, checks);
const { sub } = tokens.claims();
ensure(await statusOf(tokens.access_token) === 200, 'the gateway refuses the access token');

const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
ensure(renewed.refresh_token !== tokens.refresh_token, 'the refresh token was not rotated');
ensure(await statusOf(renewed.access_token) === 200, 'the gateway refuses the renewed token');

const person = await oidc.fetchUserInfo(config, renewed.access_token, sub);
ensure(person.preferred_username === USERNAME, `userinfo is about ${JSON.stringify(person)}`);

const before = await oidc.tokenIntrospection(config, renewed.access_token);
ensure(before.active && before.sub === sub, `introspection: ${JSON.stringify(before)}`);
await oidc.tokenRevocation(config, renewed.refresh_token);
ensure(await statusOf(renewed.access_token) === 401, 'a revoked token passes the gateway');
const after = await oidc.tokenIntrospection(config, renewed.access_token);
ensure(after.active === false, `introspection after revocation: ${JSON.stringify(after)}`);
await refused('invalid_grant', oidc.refreshTokenGrant(config, renewed.refresh_token));

const machine = await oidc.clientCredentialsGrant(config, { scope: 'orders:read' });
ensure(await statusOf(machine.access_token) === 200, 'the gateway refuses the client itself');
ensure(!machine.refresh_token, 'client credentials came with a refresh token');
console.log('ok: openid-client');

/** What the gateway answers to this token. */
async function statusOf(accessToken) {
  try {
    const response = await oidc.fetchProtectedResource(config, accessToken, ORDERS, 'GET');
    return response.status;
  } catch (error) {
    // The library reads the challenge of RFC 6750 and throws it.
    ensure(error instanceof oidc.WWWAuthenticateChallengeError, `${error}`);
    return error.status;
  }
}

async function refused(code, act) {
  const error = await act.then(() => undefined, (error) => error);
  ensure(error?.error === code, `expected ${code}, got ${error}`);
}
