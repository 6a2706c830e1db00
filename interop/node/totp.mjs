// An app for codes (RFC 6238), as a script has it.
import { createHmac } from 'node:crypto';

/** The step of now. */
export function step() {
  return Math.floor(Date.now() / 30_000);
}

/** The code of a key at a step. */
export function code(key, at) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...key].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const secret = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(at));
  const tag = createHmac('sha1', secret).update(counter).digest();
  const number = tag.readUInt32BE(tag[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}
