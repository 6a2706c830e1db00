// openid-client and oauth4webapi with DPoP: every token is bound to a key, which a thief does not have.
import * as oauth from 'oauth4webapi';
import * as oidc from 'openid-client';

import { CALLBACK, ensure, given, signIn } from './browser.mjs';

const { ISSUER, GATEWAY, CLIENT_ID, CLIENT_SECRET, USERNAME, PASSWORD } = given(
  'ISSUER', 'GATEWAY', 'CLIENT_ID', 'CLIENT_SECRET', 'USERNAME', 'PASSWORD',
);
const ORDERS = new URL('/orders?page=1', GATEWAY);

const config = await oidc.discovery(
  new URL(ISSUER), CLIENT_ID, undefined, oidc.ClientSecretBasic(CLIENT_SECRET),
  { execute: [oidc.allowInsecureRequests] },
);
ensure(config.serverMetadata().dpop_signing_alg_values_supported.includes('ES256'), 'no DPoP');

for (const algorithm of ['ES256', 'Ed25519', 'PS256', 'RS256']) {
  const keys = await oidc.randomDPoPKeyPair(algorithm);
  const DPoP = oidc.getDPoPHandle(config, keys);
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const expectedState = oidc.randomState();
  const callback = await signIn(
    oidc.buildAuthorizationUrl(config, {
      redirect_uri: CALLBACK,
      scope: 'openid profile orders:read offline_access',
      code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
      code_challenge_method: 'S256',
      dpop_jkt: await DPoP.calculateThumbprint(),
      state: expectedState,
    }),
    { username: USERNAME, password: PASSWORD },
  );
  const checks = { pkceCodeVerifier, expectedState, idTokenExpected: true };
  const tokens = await oidc.authorizationCodeGrant(config, callback, checks, undefined, { DPoP });
  ensure(tokens.token_type === 'dpop', `token_type is ${tokens.token_type}`);
  ensure(await status(tokens.access_token, DPoP) === 200, 'the gateway refuses a bound token');
  ensure(await status(tokens.access_token) === 401, 'a bound token passes without its key');
  const thief = oidc.getDPoPHandle(config, await oidc.randomDPoPKeyPair(algorithm));
  ensure(await status(tokens.access_token, thief) === 401, 'a bound token passes with another key');

  const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token, undefined, { DPoP });
  ensure(await status(renewed.access_token, DPoP) === 200, 'the renewed token is refused');
  const person = await oidc.fetchUserInfo(
    config, renewed.access_token, tokens.claims().sub, { DPoP },
  );
  ensure(person.preferred_username === USERNAME, `userinfo is about ${JSON.stringify(person)}`);
  const told = await oidc.tokenIntrospection(config, renewed.access_token);
  ensure(told.cnf.jkt === await DPoP.calculateThumbprint(), 'introspection tells another key');
}

// As a resource server, oauth4webapi checks what the token says of its binding.
const as = config.serverMetadata();
const keys = await oauth.generateKeyPair('ES256');
const DPoP = oauth.DPoP({ client_id: CLIENT_ID }, keys);
const plain = { [oauth.allowInsecureRequests]: true };
const machine = await oauth.processClientCredentialsResponse(
  as, { client_id: CLIENT_ID },
  await oauth.clientCredentialsGrantRequest(
    as, { client_id: CLIENT_ID }, oauth.ClientSecretPost(CLIENT_SECRET),
    { scope: 'orders:read' }, { DPoP, ...plain },
  ),
);
const proven = await oauth.protectedResourceRequest(
  machine.access_token, 'GET', ORDERS, undefined, undefined, { DPoP, ...plain },
);
ensure(proven.status === 200, `the gateway answers ${proven.status}`);
console.log('ok: DPoP');

/** What the gateway answers to this token, with or without a proof. */
async function status(accessToken, DPoP) {
  try {
    const response = await oidc.fetchProtectedResource(
      config, accessToken, ORDERS, 'GET', undefined, undefined, DPoP && { DPoP },
    );
    return response.status;
  } catch (error) {
    ensure(error instanceof oidc.WWWAuthenticateChallengeError, `${error}`);
    return error.status;
  }
}
