// openid-client as a device without a keyboard (RFC 8628): it polls while its person decides elsewhere.
import * as oidc from 'openid-client';

import { Browser, ensure, given } from './browser.mjs';

const { ISSUER, CLIENT_ID, CLIENT_SECRET, USERNAME, PASSWORD } = given(
  'ISSUER', 'CLIENT_ID', 'CLIENT_SECRET', 'USERNAME', 'PASSWORD',
);
const config = await oidc.discovery(
  new URL(ISSUER), CLIENT_ID, undefined, oidc.ClientSecretBasic(CLIENT_SECRET),
  { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] },
);
const started = await oidc.initiateDeviceAuthorization(config, {
  scope: 'openid profile orders:read offline_access',
});
ensure(started.verification_uri_complete.includes(started.user_code), 'the address lacks the code');

// Nobody has decided: the client is told to wait, and does so.
const polling = oidc.pollDeviceAuthorizationGrant(config, { ...started, interval: 1 });
const { page } = await new Browser({ username: USERNAME, password: PASSWORD })
  .open(started.verification_uri_complete);
const tokens = await polling;
ensure(tokens.claims().sub, `no ID token after: ${page}`);
const person = await oidc.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);
ensure(person.preferred_username === USERNAME, `userinfo is about ${JSON.stringify(person)}`);
await oidc.refreshTokenGrant(config, tokens.refresh_token);

// A code is good once.
const again = await oidc.genericGrantRequest(
  config, 'urn:ietf:params:oauth:grant-type:device_code', { device_code: started.device_code },
).then(() => undefined, (error) => error);
ensure(again?.error === 'invalid_grant', `a code was taken twice: ${again}`);
console.log('ok: device');
