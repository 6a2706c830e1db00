// openid-client trades a person's token for one that a service behind needs (RFC 8693).
import { decodeJwt } from 'jose';
import * as oidc from 'openid-client';

import { CALLBACK, ensure, given, signIn } from './browser.mjs';

const { ISSUER, GATEWAY, CLIENT_ID, CLIENT_SECRET, USERNAME, PASSWORD } = given(
  'ISSUER', 'GATEWAY', 'CLIENT_ID', 'CLIENT_SECRET', 'USERNAME', 'PASSWORD',
);
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const config = await oidc.discovery(
  new URL(ISSUER), CLIENT_ID, undefined, oidc.ClientSecretBasic(CLIENT_SECRET),
  { execute: [oidc.allowInsecureRequests] },
);
const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
const callback = await signIn(oidc.buildAuthorizationUrl(config, {
  redirect_uri: CALLBACK,
  scope: 'openid orders:read invoices:read',
  code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
  code_challenge_method: 'S256',
}), { username: USERNAME, password: PASSWORD });
const tokens = await oidc.authorizationCodeGrant(config, callback, { pkceCodeVerifier });

const traded = await oidc.genericGrantRequest(config, EXCHANGE, {
  subject_token: tokens.access_token,
  subject_token_type: ACCESS_TOKEN,
  requested_token_type: ACCESS_TOKEN,
  scope: 'orders:read',
  resource: new URL(GATEWAY).origin,
});
ensure(traded.issued_token_type === ACCESS_TOKEN, `a ${traded.issued_token_type} was issued`);
const [before, after] = [tokens.access_token, traded.access_token].map(decodeJwt);
ensure(after.sub === before.sub, 'it is about somebody else');
ensure(after.scope === 'orders:read', `it allows ${after.scope}`);
const response = await oidc.fetchProtectedResource(
  config, traded.access_token, new URL('/orders', GATEWAY), 'GET',
);
ensure(response.status === 200, `the gateway answers ${response.status}`);

const wider = await oidc.genericGrantRequest(config, EXCHANGE, {
  subject_token: traded.access_token,
  subject_token_type: ACCESS_TOKEN,
  scope: 'orders:read invoices:read',
}).then(() => undefined, (error) => error);
ensure(wider?.error === 'invalid_scope', `more was given than there was: ${wider}`);
console.log('ok: token exchange');
