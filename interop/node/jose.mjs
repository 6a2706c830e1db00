// jose verifies an access token as an API would that has no gateway in front.
import { createRemoteJWKSet, decodeProtectedHeader, errors, jwtVerify } from 'jose';

import { ensure, given } from './browser.mjs';

const { ISSUER, GATEWAY, TOKEN } = given('ISSUER', 'GATEWAY', 'TOKEN');

const discovery = await fetch(`${ISSUER}/.well-known/oauth-authorization-server`);
ensure(discovery.ok, `discovery answered ${discovery.status}`);
const metadata = await discovery.json();
ensure(metadata.issuer === ISSUER, `discovery names the issuer ${metadata.issuer}`);
const keys = createRemoteJWKSet(new URL(metadata.jwks_uri));
const wanted = { issuer: ISSUER, audience: GATEWAY, typ: 'at+jwt', algorithms: ['ES256'] };

const { payload } = await jwtVerify(TOKEN, keys, {
  ...wanted, requiredClaims: ['sub', 'client_id', 'exp', 'iat', 'jti', 'scope'],
});
ensure(payload.exp > payload.iat, 'the token has no life');
ensure(decodeProtectedHeader(TOKEN).kid, 'the token names no key');

await refused('ERR_JWT_CLAIM_VALIDATION_FAILED', TOKEN, { audience: 'https://elsewhere.example' });
await refused('ERR_JWT_CLAIM_VALIDATION_FAILED', TOKEN, { issuer: 'https://elsewhere.example' });
await refused('ERR_JWT_CLAIM_VALIDATION_FAILED', TOKEN, { typ: 'jwt' });
await refused('ERR_JWT_EXPIRED', TOKEN, { currentDate: new Date((payload.exp + 1) * 1000) });
for (const part of [1, 2]) {
  await refused('ERR_JWS_SIGNATURE_VERIFICATION_FAILED', altered(TOKEN, part), {});
}
console.log('ok: jose');

/** The token with one character in the middle of one of its parts changed. */
function altered(token, index) {
  const parts = token.split('.');
  const part = parts[index];
  const middle = part.length >> 1;
  const other = part[middle] === 'A' ? 'B' : 'A';
  parts[index] = part.slice(0, middle) + other + part.slice(middle + 1);
  return parts.join('.');
}

async function refused(code, token, options) {
  const error = await jwtVerify(token, keys, { ...wanted, ...options })
    .then(() => undefined, (error) => error);
  ensure(error instanceof errors.JOSEError && error.code === code, `expected ${code}, got ${error}`);
}
