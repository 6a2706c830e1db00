// oauth4webapi, which checks every answer to the letter, as a client and as a resource server.
import * as oauth from 'oauth4webapi';

import { CALLBACK, ensure, given, signIn } from './browser.mjs';

const { ISSUER, GATEWAY, CLIENT_ID, CLIENT_SECRET, USERNAME, PASSWORD } = given(
  'ISSUER', 'GATEWAY', 'CLIENT_ID', 'CLIENT_SECRET', 'USERNAME', 'PASSWORD',
);
const ORDERS = new URL('/orders', GATEWAY);
const plain = { [oauth.allowInsecureRequests]: true };
const client = { client_id: CLIENT_ID };
const byPost = oauth.ClientSecretPost(CLIENT_SECRET);

const issuer = new URL(ISSUER);
for (const algorithm of ['oidc', 'oauth2']) {
  const response = await oauth.discoveryRequest(issuer, { algorithm, ...plain });
  await oauth.processDiscoveryResponse(issuer, response);
}
const as = await oauth.processDiscoveryResponse(
  issuer, await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...plain }),
);

// RFC 9728: the gateway names its authorization server.
const resource = await oauth.processResourceDiscoveryResponse(
  new URL(GATEWAY), await oauth.resourceDiscoveryRequest(new URL(GATEWAY), plain),
);
ensure(resource.authorization_servers.includes(ISSUER), 'the gateway names another issuer');

const codeVerifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const expectedNonce = oauth.generateRandomNonce();
const authorization = new URL(as.authorization_endpoint);
authorization.search = new URLSearchParams({
  client_id: CLIENT_ID,
  response_type: 'code',
  redirect_uri: CALLBACK,
  scope: 'openid email orders:read',
  resource: resource.resource,
  code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
  code_challenge_method: 'S256',
  state,
  nonce: expectedNonce,
});
const callback = await signIn(authorization, { username: USERNAME, password: PASSWORD });
// Checks state and, as the metadata announce it, the issuer of RFC 9207.
const answer = oauth.validateAuthResponse(as, client, callback, state);

const codeResponse = await oauth.authorizationCodeGrantRequest(
  as, client, byPost, answer, CALLBACK, codeVerifier, plain,
);
const tokens = await oauth.processAuthorizationCodeResponse(
  as, client, codeResponse, { expectedNonce, requireIdToken: true },
);
await oauth.validateApplicationLevelSignature(as, codeResponse, plain);
const { sub } = oauth.getValidatedIdTokenClaims(tokens);
await accepted(tokens.access_token);

const refreshResponse = await oauth.refreshTokenGrantRequest(
  as, client, byPost, tokens.refresh_token, plain,
);
const renewed = await oauth.processRefreshTokenResponse(as, client, refreshResponse);
await accepted(renewed.access_token);

const person = await oauth.processUserInfoResponse(
  as, client, sub, await oauth.userInfoRequest(as, client, renewed.access_token, plain),
);
ensure(person.email, `userinfo has no email: ${JSON.stringify(person)}`);

const before = await introspection(renewed.access_token);
ensure(before.active && before.client_id === CLIENT_ID, `introspection: ${JSON.stringify(before)}`);
await oauth.processRevocationResponse(
  await oauth.revocationRequest(as, client, byPost, renewed.refresh_token, plain),
);
const status = await statusOf(renewed.access_token);
ensure(status === 401, `a revoked token gets ${status} at the gateway`);
const after = await introspection(renewed.access_token);
ensure(after.active === false, `introspection after revocation: ${JSON.stringify(after)}`);

const machine = await oauth.processClientCredentialsResponse(
  as, client,
  await oauth.clientCredentialsGrantRequest(as, client, byPost, { scope: 'orders:read' }, plain),
);
await accepted(machine.access_token);
console.log('ok: oauth4webapi');

/** The gateway passes it, and so would a resource server that follows RFC 9068. */
async function accepted(accessToken) {
  const status = await statusOf(accessToken);
  ensure(status === 200, `the gateway answers ${status} to a good token`);
  const request = new Request(ORDERS, { headers: { authorization: `Bearer ${accessToken}` } });
  const claims = await oauth.validateJwtAccessToken(as, request, GATEWAY, plain);
  ensure(claims.scope.split(' ').includes('orders:read'), `scope is ${claims.scope}`);
}

async function statusOf(accessToken) {
  try {
    const response = await oauth.protectedResourceRequest(
      accessToken, 'GET', ORDERS, undefined, undefined, plain,
    );
    return response.status;
  } catch (error) {
    // The library reads the challenge of RFC 6750 and throws it.
    ensure(error instanceof oauth.WWWAuthenticateChallengeError, `${error}`);
    return error.status;
  }
}

async function introspection(token) {
  const response = await oauth.introspectionRequest(as, client, byPost, token, plain);
  return oauth.processIntrospectionResponse(as, client, response);
}
