// jose verifies, as an API behind the gateway would, the token that the gateway gives it.
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';

import { ensure, given } from './browser.mjs';

const { INTERNAL, GATEWAY, SUBJECT } = given('INTERNAL', 'GATEWAY', 'SUBJECT');

const keys = createRemoteJWKSet(
  new URL(`${GATEWAY}/.well-known/tokenward-internal-jwks.json`),
);
const wanted = {
  issuer: GATEWAY, audience: 'public', typ: 'tokenward-internal+jwt', algorithms: ['EdDSA'],
};
const { payload } = await jwtVerify(INTERNAL, keys, {
  ...wanted, requiredClaims: ['sub', 'client_id', 'exp', 'iat', 'jti', 'scope', 'tkn'],
});
ensure(payload.sub === SUBJECT, `sub is ${payload.sub}`);
ensure(payload.exp - payload.iat <= 60, 'it lives too long');
ensure(!('cnf' in payload), 'cnf went inside');
ensure(decodeProtectedHeader(INTERNAL).kid, 'it names no key');
for (const other of [{ audience: 'other' }, { issuer: 'https://elsewhere.example' }, { typ: 'at+jwt' }]) {
  const outcome = await jwtVerify(INTERNAL, keys, { ...wanted, ...other }).catch((error) => error.code);
  ensure(outcome === 'ERR_JWT_CLAIM_VALIDATION_FAILED', `${JSON.stringify(other)}: ${outcome}`);
}
console.log('ok: jose');
