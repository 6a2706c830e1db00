// A person at Chromium, with JavaScript off, looks after their account: a personal token, an application and what
// it may do, a sign-in that was not theirs, the sessions. Every page that people see on the way is looked at, with JavaScript on for axe alone.
import { createServer } from 'node:http';

import * as oidc from 'openid-client';
import puppeteer from 'puppeteer-core';

import { ensure, given } from './browser.mjs';
import { looked, press, visitor } from './pages.mjs';

const {
  ISSUER, GATEWAY, CLIENT_ID, CLIENT_SECRET, USERNAME, PASSWORD, CHROMIUM, ADMIN, ADMIN_TOKEN,
} = given(
  'ISSUER', 'GATEWAY', 'CLIENT_ID', 'CLIENT_SECRET', 'USERNAME', 'PASSWORD', 'CHROMIUM', 'ADMIN',
  'ADMIN_TOKEN',
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

  // It can do without a part of what it asks for: one thing is left out, another is taken back later.
  await canDoWithout('profile orders:read');
  const asked = await request();
  plain.loaded.clear();
  await plain.goto(asked.url);
  ensure(await plain.$('input[name="scope:profile"][checked]'), 'the box is not ticked');
  ensure(!await plain.$('input[name="scope:openid"]'), 'openid can be left out');
  await looked(plain, 'consent-by-scope');
  await plain.click('input[name="scope:profile"]');
  await press(plain, 'button[name=decision][value=allow]');
  const part = await oidc.authorizationCodeGrant(config, new URL(plain.url()), asked.checks);
  ensure(part.scope === 'openid orders:read', `the token has ${part.scope}`);
  ensure(await answered(part.access_token) === 200, 'the application has no access');
  const wider = await oidc.refreshTokenGrant(config, part.refresh_token, {
    scope: 'openid profile',
  }).catch((error) => error);
  ensure(wider.error === 'invalid_scope', `a wider refresh is not refused: ${wider}`);
  // Nobody is asked again for what was left out.
  const silent = await request();
  await plain.goto(silent.url);
  const same = await oidc.authorizationCodeGrant(config, new URL(plain.url()), silent.checks);
  ensure(same.scope === 'openid orders:read', `the second token has ${same.scope}`);
  await plain.goto(`${ISSUER}/account`);
  await press(plain, 'button[name=scope][value="orders:read"]');
  ensure(await plain.$('[role=status]'), 'that a scope was taken back is not told');
  ensure(await answered(part.access_token) === 403, 'a scope that was taken back counts still');
  const less = await oidc.refreshTokenGrant(config, part.refresh_token);
  ensure(less.scope === 'openid', `a refresh gives ${less.scope}`);

  // With JavaScript, which no page here needs, axe looks at each of them.
  const elsewhere = await visitor(await browser.createBrowserContext(), { javascript: true });
  await elsewhere.goto((await request({ prompt: 'consent' })).url);
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

  // A sign-in that was not theirs ends, and leads to another password.
  const thief = await visitor(await browser.createBrowserContext(), { javascript: false });
  await thief.goto(`${ISSUER}/account`);
  await signIn(thief);
  await elsewhere.goto(`${ISSUER}/account`);
  await looked(elsewhere, 'account-sign-ins');
  await press(elsewhere, 'form[action$="/sign-ins/disown"] button');
  ensure(await elsewhere.$('input[name=current_password]'), 'it leads to no other password');
  await thief.goto(`${ISSUER}/account`);
  ensure(await thief.$('input[name=password]'), 'signed in still, and it was somebody else');

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

/** Has an administrator say what the client can do without. */
async function canDoWithout(scopes) {
  const answer = await fetch(`${ADMIN}/api/v1/clients/${CLIENT_ID}`, {
    method: 'PATCH',
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ optional_scopes: scopes }),
  });
  ensure(answer.status === 200, `the client is not changed: ${answer.status}`);
}

async function request(more = {}) {
  const pkceCodeVerifier = oidc.randomPKCECodeVerifier();
  const expectedState = oidc.randomState();
  const url = oidc.buildAuthorizationUrl(config, {
    redirect_uri: redirectUri,
    scope: 'openid profile orders:read',
    code_challenge: await oidc.calculatePKCECodeChallenge(pkceCodeVerifier),
    code_challenge_method: 'S256',
    state: expectedState,
    ...more,
  });
  return { url: url.href, checks: { pkceCodeVerifier, expectedState, idTokenExpected: true } };
}
