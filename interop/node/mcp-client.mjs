// The client of the Model Context Protocol's own SDK, which nobody registered: from the gateway's
// challenge to a call, and on to the next token.
import { createServer } from 'node:http';

import { auth, extractWWWAuthenticateParams } from '@modelcontextprotocol/sdk/client/auth.js';
import { decodeJwt } from 'jose';

import { CALLBACK, ensure, given, signIn } from './browser.mjs';

const { ISSUER, GATEWAY, USERNAME, PASSWORD } = given('ISSUER', 'GATEWAY', 'USERNAME', 'PASSWORD');
const ORDERS = new URL('/orders', GATEWAY);

const document = await publish((url) => ({
  client_id: url,
  client_name: 'Assistant',
  redirect_uris: [CALLBACK],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: 'none',
}));
// The SDK takes an https URL for `clientMetadataUrl`; on loopback the id is given as known.
await walk({ client: { client_id: document.url } });
ensure(document.asked > 0, 'nobody has read the client metadata document');
document.close();
// Older clients register themselves, without anybody's leave.
await walk({});
console.log('ok: MCP client');

async function walk(kept) {
  const provider = {
    redirectUrl: CALLBACK,
    clientMetadata: {
      client_name: 'Assistant',
      redirect_uris: [CALLBACK],
      grant_types: ['authorization_code', 'refresh_token'],
      token_endpoint_auth_method: 'none',
    },
    clientInformation: () => kept.client,
    saveClientInformation: (client) => { kept.client = client; },
    state: () => 'af0ifjsldkj',
    tokens: () => kept.tokens,
    saveTokens: (tokens) => { kept.tokens = tokens; },
    redirectToAuthorization: (url) => { kept.url = url; },
    saveCodeVerifier: (verifier) => { kept.verifier = verifier; },
    codeVerifier: () => kept.verifier,
  };
  // Who brings no token is told where to get one, and for what.
  const refused = await fetch(ORDERS);
  ensure(refused.status === 401, `the gateway answers ${refused.status} to nobody`);
  const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(refused);
  ensure(resourceMetadataUrl, 'the challenge does not say where the metadata are');
  ensure(scope === 'orders:read', `the challenge asks for the scope ${scope}`);

  const options = { serverUrl: ORDERS, resourceMetadataUrl, scope };
  ensure(await auth(provider, options) === 'REDIRECT', 'nobody is asked');
  const asked = kept.url.searchParams;
  ensure(kept.url.origin === ISSUER, `the person is sent to ${kept.url.origin}`);
  ensure(asked.get('client_id') === kept.client.client_id, 'the client has another id');
  ensure(asked.get('resource') === resourceOf(GATEWAY), `it is for ${asked.get('resource')}`);
  ensure(asked.get('scope').split(' ').includes('orders:read'), `it asks for ${asked.get('scope')}`);
  ensure(asked.get('code_challenge_method') === 'S256', 'there is no proof key');

  const answer = await signIn(kept.url, { username: USERNAME, password: PASSWORD });
  ensure(answer.searchParams.get('state') === asked.get('state'), 'the state is another');
  // RFC 9207, which the revision of 2026-07-28 wants clients to check.
  ensure(answer.searchParams.get('iss') === ISSUER, 'the answer does not say who gives it');
  const authorizationCode = answer.searchParams.get('code');
  ensure(await auth(provider, { ...options, authorizationCode }) === 'AUTHORIZED', 'no token');
  await accepted(kept.tokens.access_token);

  const before = kept.tokens;
  ensure(before.refresh_token, 'there is no refresh token');
  ensure(await auth(provider, options) === 'AUTHORIZED', 'the token is not renewed');
  ensure(kept.tokens.access_token !== before.access_token, 'the token is the same');
  await accepted(kept.tokens.access_token);

  // What the token does not allow is named, so that the client can ask for more.
  const more = await fetch(ORDERS, {
    method: 'POST', body: '{}', headers: { authorization: `Bearer ${kept.tokens.access_token}` },
  });
  ensure(more.status === 403, `the gateway answers ${more.status}`);
  const challenge = extractWWWAuthenticateParams(more);
  ensure(challenge.error === 'insufficient_scope', `the challenge says ${challenge.error}`);
  ensure(challenge.scope?.includes('orders:write'), `the challenge asks for ${challenge.scope}`);
}

async function accepted(token) {
  const { aud, scope: granted } = decodeJwt(token);
  ensure([aud].flat().join() === resourceOf(GATEWAY), `the token is for ${aud}`);
  ensure(granted.split(' ').includes('orders:read'), `the token allows ${granted}`);
  const response = await fetch(ORDERS, { headers: { authorization: `Bearer ${token}` } });
  ensure(response.status === 200, `the gateway answers ${response.status}`);
}

/** The gateway's own name, as its metadata have it. */
function resourceOf(gateway) {
  return new URL(gateway).origin;
}

/** Serves a client's metadata document on loopback. */
async function publish(describe) {
  const server = createServer((request, response) => {
    published.asked += 1;
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(describe(published.url)));
  });
  const published = { asked: 0, close: () => server.close() };
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  published.url = `http://127.0.0.1:${server.address().port}/client.json`;
  return published;
}
