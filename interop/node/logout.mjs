// openid-client signs its person out (OpenID Connect RP-Initiated Logout 1.0).
import * as oidc from 'openid-client';

import { createClient } from './admin.mjs';
import { Browser, CALLBACK, ensure, given } from './browser.mjs';

const { ISSUER, USERNAME, PASSWORD } = given('ISSUER', 'USERNAME', 'PASSWORD');
const GOODBYE = 'http://127.0.0.1/goodbye';

const client = await createClient({
  client_name: 'Leaving',
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: [CALLBACK],
  post_logout_redirect_uris: [GOODBYE],
  scope: 'openid',
});
const config = await oidc.discovery(
  new URL(ISSUER), client.client_id, undefined, oidc.ClientSecretBasic(client.client_secret),
  { execute: [oidc.allowInsecureRequests] },
);
const browser = new Browser({ username: USERNAME, password: PASSWORD });
const tokens = await enter();
ensure((await ask({ prompt: 'none' })).searchParams.has('code'), 'nobody is signed in');

const state = oidc.randomState();
const { url } = await browser.open(oidc.buildEndSessionUrl(config, {
  id_token_hint: tokens.id_token,
  post_logout_redirect_uri: GOODBYE,
  state,
}), GOODBYE);
ensure(url.href.startsWith(GOODBYE), `the person ends at ${url}`);
ensure(url.searchParams.get('state') === state, 'the state is another');

const after = await ask({ prompt: 'none' });
ensure(after.searchParams.get('error') === 'login_required', `still signed in: ${after}`);
const gone = await oidc.refreshTokenGrant(config, tokens.refresh_token ?? 'none')
  .then(() => undefined, (error) => error);
ensure(gone?.error === 'invalid_grant', `a token of the session is renewed: ${gone}`);
console.log('ok: logout');

async function ask(more) {
  const { url } = await browser.open(oidc.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: 'openid',
    code_challenge: await oidc.calculatePKCECodeChallenge('a'.repeat(43)),
    code_challenge_method: 'S256',
    ...more,
  }));
  return url;
}

async function enter() {
  return oidc.authorizationCodeGrant(config, await ask({}), { pkceCodeVerifier: 'a'.repeat(43) });
}
