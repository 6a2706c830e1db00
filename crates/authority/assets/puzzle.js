// Does the work that the sign-in form asks for while its person types: for each part a number is looked for
// whose SHA-256 (FIPS 180-4) begins with zero bits. Without this script the form asks to wait instead.
(() => {
  'use strict';
  const form = document.querySelector('form[data-puzzle]');
  if (!form) return;

  const SLICE_MS = 40;
  const K = roundConstants();
  const START = Int32Array.from(fractions(8, Math.sqrt));
  const schedule = firstBlock(form.dataset.puzzle);
  const bits = Number(form.dataset.bits);
  const parts = Number(form.dataset.parts);
  const answerField = form.elements.namedItem('answer');
  const work = form.querySelector('[data-work]');
  const bar = work.querySelector('progress');
  const said = work.querySelector('span');
  const found = [];
  let number = 0;
  let pressed = null;

  form.querySelector('[data-unscripted]').hidden = true;
  work.hidden = false;
  form.addEventListener('submit', (event) => {
    // Who goes back waits for nothing.
    if (found.length === parts || event.submitter?.formNoValidate) return;
    event.preventDefault();
    pressed = event.submitter;
  });
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = slice;
  port2.postMessage(null);

  /** Works for a moment, then lets the page have its turn. */
  function slice() {
    const end = performance.now() + SLICE_MS;
    while (found.length < parts && performance.now() < end) {
      for (let tries = 0; tries < 512; tries += 1, number += 1) {
        if (Math.clz32(firstWord(found.length, number)) < bits) continue;
        found.push(number);
        number = -1;
        if (found.length === parts) break;
      }
    }
    bar.value = found.length;
    if (found.length < parts) port2.postMessage(null);
    else finish();
  }

  function finish() {
    port1.close();
    answerField.value = found.join('.');
    said.textContent = work.dataset.done;
    if (pressed) form.requestSubmit(pressed);
  }

  /** The first 32 bits of the hash over the seed, a part and a number: one block. Web Crypto answers each call by a
   * promise, which would cost far more than the hash; nothing here is a secret. */
  function firstWord(part, candidate) {
    const w = schedule;
    w[8] = part;
    w[9] = candidate;
    for (let i = 16; i < 64; i += 1) {
      const x = w[i - 15];
      const y = w[i - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = START;
    for (let i = 0; i < 64; i += 1) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[i] + w[i]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    return (START[0] + a) | 0;
  }

  /** The constants of FIPS 180-4 §4.2.2: from the cube roots of the first primes. */
  function roundConstants() {
    return Int32Array.from(fractions(64, Math.cbrt));
  }

  /** The first 32 bits of what is behind the point in the roots of so many primes. */
  function fractions(count, root) {
    const primes = [];
    for (let n = 2; primes.length < count; n += 1) {
      if (primes.every((prime) => n % prime)) primes.push(n);
    }
    return primes.map((prime) => Math.floor((root(prime) % 1) * 2 ** 32));
  }

  /** A block with the seed, room for two numbers, and the end of a message of 320 bits. */
  function firstBlock(seed) {
    const block = new Int32Array(64);
    block.set(seed.match(/.{8}/g).map((digits) => parseInt(digits, 16)));
    block[10] = 0x80000000;
    block[15] = 320;
    return block;
  }
})();
