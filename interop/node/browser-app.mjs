// A person at an application in Chromium that holds no token (backend for frontend): signs in, calls the
// API by a cookie that no script can read, and signs out. Another origin can do neither for them.
import { createServer } from 'node:http';

import puppeteer from 'puppeteer-core';

import { ensure, given } from './browser.mjs';

const { GATEWAY, USERNAME, PASSWORD, CHROMIUM } = given(
  'GATEWAY', 'USERNAME', 'PASSWORD', 'CHROMIUM',
);

const stranger = createServer((_, answer) => {
  answer.setHeader('content-type', 'text/html');
  answer.end('<p>Another application</p>');
});
await new Promise((ready) => { stranger.listen(0, '127.0.0.1', ready); });
const elsewhere = `http://127.0.0.1:${stranger.address().port}/`;

const browser = await puppeteer.launch({
  executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const page = await browser.newPage();
  await page.goto(`${GATEWAY}/bff/login?return_to=/healthz`);
  await page.type('input[name=username]', USERNAME);
  await page.type('input[name=password]', PASSWORD);
  await press(page, 'button[type=submit]');
  await press(page, 'button[name=decision][value=allow]');
  ensure(page.url() === `${GATEWAY}/healthz`, `the person is at ${page.url()}`);

  const inside = await page.evaluate(look);
  ensure(inside.api === 200, `the API answers ${inside.api}`);
  ensure(inside.session.signed_in && inside.session.sub, JSON.stringify(inside.session));
  ensure(inside.kept === '', `a script finds ${inside.kept}`);
  const own = (await browser.cookies()).filter((cookie) => cookie.name.includes('tokenward-app'));
  ensure(own.length === 1 && own[0].httpOnly, JSON.stringify(own.map((cookie) => cookie.name)));

  const foreign = await browser.newPage();
  await foreign.goto(elsewhere);
  const tried = await foreign.evaluate(attack, GATEWAY);
  ensure(tried.every((outcome) => outcome === 'unreadable'), JSON.stringify(tried));
  ensure((await page.evaluate(look)).session.signed_in, 'another origin signed the person out');

  const left = await page.evaluate(async () => (await fetch('/bff/logout', { method: 'POST' })).status);
  ensure(left === 200, `signing out answers ${left}`);
  const outside = await page.evaluate(look);
  ensure(outside.api === 401, `after signing out the API answers ${outside.api}`);
  ensure(outside.session.signed_in === false, JSON.stringify(outside.session));
} finally {
  await browser.close();
  stranger.close();
}
console.log('ok: a browser application without tokens');

/** In the page: what the application gets, and all that a script could steal. */
async function look() {
  const api = (await fetch('/healthz')).status;
  const session = await (await fetch('/bff/session')).json();
  const kept = document.cookie + Object.values({ ...localStorage, ...sessionStorage }).join('');
  return { api, session, kept };
}

/** In a page of another origin: what it reads of the API, and whether it can sign the person out. */
async function attack(gateway) {
  const tries = [['GET', '/healthz'], ['GET', '/bff/session'], ['POST', '/bff/logout']];
  return Promise.all(tries.flatMap(([method, path]) => ['cors', 'no-cors'].map(async (mode) => {
    try {
      const answer = await fetch(gateway + path, { method, mode, credentials: 'include' });
      return answer.type === 'opaque' ? 'unreadable' : `${method} ${path}: ${answer.status}`;
    } catch {
      return 'unreadable';
    }
  })));
}

async function press(page, selector) {
  await Promise.all([page.waitForNavigation(), page.click(selector)]);
}
