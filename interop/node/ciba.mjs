// openid-client asks a person by the back channel (CIBA Core 1.0, poll mode); they decide at
// /approvals.
import * as oidc from 'openid-client';

import { createClient } from './admin.mjs';
import { Browser, ensure, given } from './browser.mjs';

const { ISSUER, USERNAME, PASSWORD } = given('ISSUER', 'USERNAME', 'PASSWORD');
const client = await createClient({
  client_name: 'Bank counter',
  grant_types: ['urn:openid:params:grant-type:ciba', 'refresh_token'],
  scope: 'openid profile orders:read offline_access',
  backchannel_token_delivery_mode: 'poll',
});
const config = await oidc.discovery(
  new URL(ISSUER), client.client_id, undefined, oidc.ClientSecretBasic(client.client_secret),
  { execute: [oidc.allowInsecureRequests, oidc.enableNonRepudiationChecks] },
);
const asked = await oidc.initiateBackchannelAuthentication(config, {
  scope: 'openid profile orders:read offline_access',
  login_hint: USERNAME,
  binding_message: 'W4SCT',
});
const polling = oidc.pollBackchannelAuthenticationGrant(config, { ...asked, interval: 1 });
const browser = new Browser({ username: USERNAME, password: PASSWORD });
await browser.open(`${ISSUER}/approvals`);
const tokens = await polling;
const { sub } = tokens.claims();
const person = await oidc.fetchUserInfo(config, tokens.access_token, sub);
ensure(person.preferred_username === USERNAME, `userinfo is about ${JSON.stringify(person)}`);
const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token);
ensure(renewed.access_token !== tokens.access_token, 'the token is the same');

const nobody = await oidc.initiateBackchannelAuthentication(config, {
  scope: 'openid', login_hint: 'nobody',
}).then(() => undefined, (error) => error);
ensure(nobody?.error === 'unknown_user_id', `nobody was asked: ${nobody}`);
console.log('ok: CIBA');
