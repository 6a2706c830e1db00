// openid-client registers itself (RFC 7591) and begins at once; its registration is then managed by
// its own token (RFC 7592).
import * as oidc from 'openid-client';

import { CALLBACK, ensure, given, signIn } from './browser.mjs';

const { ISSUER, INITIAL_ACCESS_TOKEN, USERNAME, PASSWORD } = given(
  'ISSUER', 'INITIAL_ACCESS_TOKEN', 'USERNAME', 'PASSWORD',
);
for (const [method, auth] of [
  ['client_secret_basic', oidc.ClientSecretBasic],
  ['client_secret_post', oidc.ClientSecretPost],
  ['none', oidc.None],
]) {
  const config = await oidc.dynamicClientRegistration(
    new URL(ISSUER),
    {
      client_name: `by ${method}`,
      redirect_uris: [CALLBACK],
      grant_types: ['authorization_code', 'refresh_token'],
      scope: 'openid profile offline_access',
      token_endpoint_auth_method: method,
    },
    auth(),
    { initialAccessToken: INITIAL_ACCESS_TOKEN, execute: [oidc.allowInsecureRequests] },
  );
  const registered = config.clientMetadata();
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const callback = await signIn(oidc.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: 'openid profile offline_access',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
  }), { username: USERNAME, password: PASSWORD });
  const tokens = await oidc.authorizationCodeGrant(config, callback, { pkceCodeVerifier });
  ensure(tokens.claims().aud === registered.client_id, 'the ID token is for somebody else');
  const renewed = await oidc.refreshTokenGrant(config, tokens.refresh_token);

  const { registration_client_uri: own, registration_access_token: key } = registered;
  const headers = { authorization: `Bearer ${key}` };
  const shown = await (await fetch(own, { headers })).json();
  ensure(shown.client_id === registered.client_id, `the registration is ${JSON.stringify(shown)}`);
  ensure((await fetch(own, { method: 'DELETE', headers })).status === 204, 'it cannot be removed');
  const gone = await oidc.refreshTokenGrant(config, renewed.refresh_token)
    .then(() => undefined, (error) => error);
  // Who sent a header is challenged (RFC 6749 §5.2), which the library throws as such.
  const refused = gone?.error === 'invalid_client' || gone?.status === 401;
  ensure(refused, `a client that is gone gets tokens: ${gone}`);
}
console.log('ok: registration');
