// jose checks our signatures by every algorithm, and makes some for us.
import { readFileSync, writeFileSync } from 'node:fs';

import { CompactSign, compactVerify, exportJWK, generateKeyPair, generateSecret, importJWK } from 'jose';

import { ensure, given } from './browser.mjs';

const { GIVEN, MADE } = given('GIVEN', 'MADE');
const EACH = 20;

const ours = JSON.parse(readFileSync(GIVEN));
for (const { alg, jwk, token, payload } of ours) {
  const key = await importJWK(jwk, alg);
  const verified = await compactVerify(token, key, { algorithms: [alg] });
  ensure(Buffer.from(verified.payload).toString('base64url') === payload, `${alg}: another payload`);
  const last = token.at(-10) === 'A' ? 'B' : 'A';
  const changed = token.slice(0, -10) + last + token.slice(-9);
  const outcome = await compactVerify(changed, key).then(() => 'accepted', (error) => error.code);
  ensure(outcome === 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED', `${alg}: changed, ${outcome}`);
}

const made = [];
for (const alg of new Set(ours.map((one) => one.alg))) {
  const secret = alg.startsWith('HS');
  const pair = secret
    ? await generateSecret(alg, { extractable: true })
    : await generateKeyPair(alg, { extractable: true });
  const jwk = { ...await exportJWK(secret ? pair : pair.publicKey), alg };
  for (let n = 0; n < EACH; n += 1) {
    const payload = crypto.getRandomValues(new Uint8Array(n * 17));
    const token = await new CompactSign(payload).setProtectedHeader({ alg })
      .sign(secret ? pair : pair.privateKey);
    made.push({ alg, jwk, token, payload: Buffer.from(payload).toString('base64url') });
  }
}
writeFileSync(MADE, JSON.stringify(made));
console.log(`ok: jose, ${ours.length} of ours, ${made.length} of its own`);
