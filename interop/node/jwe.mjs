// jose opens what we encrypted by every algorithm, and encrypts some for us.
import { readFileSync, writeFileSync } from 'node:fs';

import { CompactEncrypt, compactDecrypt, exportJWK, generateKeyPair, importJWK } from 'jose';

import { ensure, given } from './browser.mjs';

const { GIVEN, MADE } = given('GIVEN', 'MADE');
const EACH = 12;
const ENCS = ['A256GCM', 'A128CBC-HS256'];
const CURVES = ['P-256', 'P-384', 'X25519'];

const ours = JSON.parse(readFileSync(GIVEN));
for (const { alg, jwk, token, content } of ours) {
  const opened = await compactDecrypt(token, await importJWK(jwk, alg));
  ensure(Buffer.from(opened.plaintext).toString('base64url') === content, `${alg}: another content`);
  const last = token.at(-10) === 'A' ? 'B' : 'A';
  const changed = token.slice(0, -10) + last + token.slice(-9);
  const outcome = await compactDecrypt(changed, await importJWK(jwk, alg))
    .then(() => 'accepted', (error) => error.code);
  ensure(outcome === 'ERR_JWE_DECRYPTION_FAILED', `${alg}: changed, ${outcome}`);
}

async function keys(alg) {
  if (alg === 'dir' || alg === 'A256GCMKW') {
    const k = Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');
    return [{ kty: 'oct', k, alg }];
  }
  const options = alg.startsWith('ECDH') ? CURVES.map((crv) => ({ crv })) : [{}];
  return Promise.all(options.map(async (option) => {
    const pair = await generateKeyPair(alg, { extractable: true, ...option });
    return { ...await exportJWK(pair.privateKey), alg };
  }));
}

const made = [];
for (const alg of new Set(ours.map((one) => one.alg))) {
  for (const jwk of await keys(alg)) {
    const { d, p, q, dp, dq, qi, ...half } = jwk;
    for (const enc of ENCS) {
      for (let n = 0; n < EACH; n += 1) {
        const content = crypto.getRandomValues(new Uint8Array(n * 17));
        const agreement = alg.startsWith('ECDH') && n % 2 === 1;
        const encrypt = new CompactEncrypt(content).setProtectedHeader({ alg, enc });
        if (agreement) {
          encrypt.setKeyManagementParameters({ apu: Buffer.from('Alice'), apv: Buffer.from('Bob') });
        }
        const token = await encrypt.encrypt(await importJWK(half, alg));
        made.push({ alg, jwk, token, content: Buffer.from(content).toString('base64url') });
      }
    }
  }
}
writeFileSync(MADE, JSON.stringify(made));
console.log(`ok: jose, ${ours.length} of ours, ${made.length} of its own`);
