// openid-client registers itself where the door is open, and signs a person in.
import * as oidc from 'openid-client';

import { CALLBACK, ensure, given, signIn } from './browser.mjs';

const { ISSUER, USERNAME, PASSWORD } = given('ISSUER', 'USERNAME', 'PASSWORD');

const config = await oidc.dynamicClientRegistration(
  new URL(ISSUER),
  {
    client_name: 'An agent',
    redirect_uris: [CALLBACK],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'client_secret_post',
  },
  undefined,
  { execute: [oidc.allowInsecureRequests] },
);
const { client_id: id, client_secret: secret } = config.clientMetadata();
ensure(id && secret, 'no client was made');

const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
const expectedState = oidc.randomState();
const callback = await signIn(
  oidc.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: 'openid profile',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
  }),
  { username: USERNAME, password: PASSWORD },
);
const checks = { pkceCodeVerifier, expectedState, idTokenExpected: true };
const tokens = await oidc.authorizationCodeGrant(config, callback, checks);
ensure(tokens.claims().aud === id, 'the ID token is for somebody else');
const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
ensure(renewed.refresh_token !== tokens.refresh_token, 'the refresh token was not rotated');

console.log('ok: registration, sign-in, refresh');
