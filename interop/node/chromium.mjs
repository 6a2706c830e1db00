// A person at Chromium: signs in, agrees, and arrives at the application with a code. Whatever the
// browser itself refuses (a content security policy, a cookie, a frame) fails here.
import { createServer } from 'node:http';

import * as oidc from 'openid-client';
import puppeteer from 'puppeteer-core';

import { ensure, given } from './browser.mjs';

const { ISSUER, GATEWAY, CLIENT_ID, CLIENT_SECRET, USERNAME, PASSWORD, CHROMIUM } = given(
  'ISSUER', 'GATEWAY', 'CLIENT_ID', 'CLIENT_SECRET', 'USERNAME', 'PASSWORD', 'CHROMIUM',
);

const config = await oidc.discovery(
  new URL(ISSUER), CLIENT_ID, undefined, oidc.ClientSecretBasic(CLIENT_SECRET),
  { execute: [oidc.allowInsecureRequests] },
);
const application = await listening(createServer((_, answer) => answer.end('<p>Welcome</p>')));
const redirectUri = `http://127.0.0.1:${application.address().port}/callback`;
const browser = await puppeteer.launch({
  executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const page = await browser.newPage();
  const complaints = [];
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(`${error}`));

  // A wrong password first: the page says so and keeps the name.
  await page.goto((await request()).url);
  await page.type('input[name=username]', USERNAME);
  await page.type('input[name=password]', 'not the password at all');
  await press(page, 'button[type=submit]');
  const alert = await page.$eval('[role=alert]', (element) => element.textContent.trim());
  ensure(alert, 'a wrong password is not told');
  ensure(await page.$eval('input[name=username]', (input) => input.value) === USERNAME, 'name lost');
  // The status of that answer is the only thing to complain about so far.
  complaints.length = 0;

  const first = await request();
  await page.goto(first.url);
  await page.type('input[name=username]', USERNAME);
  await page.type('input[name=password]', PASSWORD);
  await press(page, 'button[type=submit]');
  await press(page, 'button[name=decision][value=allow]');
  const tokens = await redeemed(page, first);
  const answer = await fetch(new URL('/orders', GATEWAY), {
    headers: { authorization: `Bearer ${tokens.access_token}` },
  });
  ensure(answer.status === 200, `the gateway answers ${answer.status}`);

  // Signed in and agreed before: the second time nobody is asked.
  const second = await request();
  await page.goto(second.url);
  ensure((await redeemed(page, second)).claims().sub === tokens.claims().sub, 'another person');

  const cookies = await browser.cookies();
  ensure(cookies.length > 0, 'no cookie');
  for (const cookie of cookies) {
    ensure(cookie.httpOnly && ['Lax', 'Strict'].includes(cookie.sameSite), JSON.stringify(cookie));
  }
  ensure(complaints.length === 0, `the browser complains: ${complaints.join('; ')}`);
} finally {
  await browser.close();
  application.close();
}
console.log('ok: chromium');

/** A fresh authorization request, with what its answer must fit. */
async function request() {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const expectedState = oidc.randomState();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid profile orders:read',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
  });
  return { url: url.href, checks: { pkceCodeVerifier, expectedState, idTokenExpected: true } };
}

/** The tokens for the code in the address that the browser shows. */
async function redeemed(page, { checks }) {
  ensure(page.url().startsWith(`${redirectUri}?`), `the browser is at ${page.url()}`);
  return oidc.authorizationCodeGrant(config, new URL(page.url()), checks);
}

async function press(page, button) {
  await Promise.all([page.waitForNavigation(), page.click(button)]);
}

function listening(server) {
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
