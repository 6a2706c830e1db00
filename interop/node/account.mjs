// A person at Chromium, with JavaScript off, looks after their account: a personal token, an application, the
// sessions. Every page that people see on the way is looked at, with JavaScript on for axe alone.
import { createServer } from 'node:http';

import * as oidc from 'openid-client';
import puppeteer from 'puppeteer-core';

import { ensure, given } from './browser.mjs';
import { looked, press, visitor } from './pages.mjs';

const { ISSUER, GATEWAY, CLIENT_ID, CLIENT_SECRET, USERNAME, PASSWORD, CHROMIUM } = given(
  'ISSUER', 'GATEWAY', 'CLIENT_ID', 'CLIENT_SECRET', 'USERNAME', 'PASSWORD', 'CHROMIUM',
);
const config = await oidc.discovery(
  new URL(ISSUER), CLIENT_ID, undefined, oidc.ClientSecretBasic(CLIENT_SECRET),
  { execute: [oidc.allowInsecureRequests] },
);
const application = createServer((_, answer) => answer.end('<p>Welcome</p>'));
await new Promise((resolve) => application.listen(0, '127.0.0.1', resolve));
const redirectUri = `http://127.0.0.1:${application.address().port}/callback`;
const browser = await puppeteer.launch({
  executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const plain = await visitor(browser, { javascript: false });
  await plain.goto(`${ISSUER}/account/tokens`);
  await signIn(plain);
  await looked(plain, 'tokens-none');
  await plain.type('#name', 'My script');
  await plain.click('input[name="scope:orders:read"]');
  await press(plain, 'form[action$="/create"] button');
  await looked(plain, 'token-made');
  const token = await plain.$eval('.key code', (element) => element.textContent);
  ensure(await answered(token) === 200, 'the token opens nothing');
  await press(plain, 'a.button');
  ensure(!(await plain.content()).includes(token), 'the token is shown twice');
  await press(plain, 'form[action$="/revoke"] button');
  ensure(await answered(token) === 401, 'a revoked token opens something');

  // An application gets access, and loses it.
  const { url, checks } = await request();
  await plain.goto(url);
  await press(plain, 'button[name=decision][value=allow]');
  const tokens = await oidc.authorizationCodeGrant(config, new URL(plain.url()), checks);
  ensure(await answered(tokens.access_token) === 200, 'the application has no access');
  await plain.goto(`${ISSUER}/account`);
  await press(plain, 'form[action$="/withdraw"] button');
  ensure(await plain.$('[role=status]'), 'the withdrawal is not told');
  ensure(await answered(tokens.access_token) === 401, 'the application has access still');

  // With JavaScript, which no page here needs, axe looks at each of them.
  const elsewhere = await visitor(await browser.createBrowserContext(), { javascript: true });
  await elsewhere.goto((await request()).url);
  await looked(elsewhere, 'sign-in');
  await signIn(elsewhere, 'not the password');
  await looked(elsewhere, 'sign-in-wrong');
  await elsewhere.$eval('input[name=username]', (field) => { field.value = ''; });
  await signIn(elsewhere);
  await looked(elsewhere, 'consent');
  for (const [name, path] of Object.entries({
    account: '/account', approvals: '/approvals', device: '/device', logout: '/logout',
    factors: '/account/factors', tokens: '/account/tokens', problem: '/authorize?client_id=x',
  })) {
    await elsewhere.goto(`${ISSUER}${path}`);
    await looked(elsewhere, `all-${name}`);
  }
  await elsewhere.goto(`${ISSUER}/account/factors`);
  await press(elsewhere, 'form[action$="/add"] button');
  await looked(elsewhere, 'all-enrolment');

  // Out of all others, then everywhere.
  await elsewhere.goto(`${ISSUER}/account`);
  await press(elsewhere, 'form[action$="/end-others"] button');
  await looked(elsewhere, 'account-ended');
  await plain.goto(`${ISSUER}/account`);
  ensure(await plain.$('input[name=password]'), 'signed in still');
  await press(elsewhere, 'form[action$="/everywhere"] button');
  await looked(elsewhere, 'signed-out');
} finally {
  await browser.close();
  application.close();
}
console.log('ok: account');

async function signIn(page, password = PASSWORD) {
  await page.type('input[name=username]', USERNAME);
  await page.type('input[name=password]', password);
  await press(page, 'button.primary');
}

/** What the gateway answers to a token. */
async function answered(token) {
  const answer = await fetch(new URL('/orders', GATEWAY), {
    headers: { authorization: `Bearer ${token}` },
  });
  return answer.status;
}

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
