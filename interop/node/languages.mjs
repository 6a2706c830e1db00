// Every page in every language at Chromium, at the width of a phone and in both themes: somebody asks for an
// account, forgets the password, agrees, connects a device, sets up an app for codes and signs out.
import * as oidc from 'openid-client';
import puppeteer from 'puppeteer-core';

import { createClient } from './admin.mjs';
import { CALLBACK, ensure, given } from './browser.mjs';
import { looked, press, visitor } from './pages.mjs';
import { code, step } from './totp.mjs';

const { ISSUER, ADMIN, ADMIN_TOKEN, CLIENT_ID, CLIENT_SECRET, CHROMIUM } = given(
  'ISSUER', 'ADMIN', 'ADMIN_TOKEN', 'CLIENT_ID', 'CLIENT_SECRET', 'CHROMIUM',
);
const PASSWORD = 'seven green otters paddle';
const CIBA = 'urn:openid:params:grant-type:ciba';
const SCOPES = 'openid profile email orders:read offline_access';

const config = await client(CLIENT_ID, CLIENT_SECRET);
const counter = await createClient({
  client_name: 'Bank counter', grant_types: [CIBA], scope: SCOPES, backchannel_token_delivery_mode: 'poll',
});
const caller = await client(counter.client_id, counter.client_secret);
const browser = await puppeteer.launch({
  executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'],
});
try {
  for (const language of ['en', 'de', 'fr', 'es', 'pt']) {
    await walk(language);
  }
} finally {
  await browser.close();
}
console.log('ok: languages');

async function walk(language) {
  const username = `person-${language}`;
  const email = `${username}@example.com`;
  const look = (page, name) =>
    looked(page, `${language}-${name}`, { withAxe: language === 'en' });
  const enter = async () =>
    visitor(await browser.createBrowserContext(), { javascript: true, language });
  const at = async (page, path, name) => {
    await page.goto(`${ISSUER}${path}`);
    await look(page, name);
  };

  // An account by a letter.
  const page = await enter();
  await at(page, '/sign-up', 'sign-up');
  await page.type('#email', email);
  await press(page, 'button.primary');
  await look(page, 'letter-sent');
  const invited = await link(email, 1);
  await page.goto(invited);
  await look(page, 'link-entry');
  await page.type('#username', username);
  await page.type('#password', 'otters');
  await press(page, 'button.primary');
  await look(page, 'link-entry-refused');
  await page.type('#password', PASSWORD);
  await press(page, 'button.primary');
  await look(page, 'account-made');
  await page.goto(invited);
  await look(page, 'link-over');

  // The password is forgotten.
  await at(page, '/forgotten', 'forgotten');
  await page.type('#who', username);
  await press(page, 'button.primary');
  await page.goto(await link(email, 2));
  await look(page, 'link-reset');
  await page.type('#password', `${PASSWORD} again`);
  await press(page, 'button.primary');
  await look(page, 'password-changed');

  // An application: a wrong password, consent, a form on the way back.
  await page.goto(await request());
  await look(page, 'sign-in');
  await signIn(page, username, 'not the password');
  await look(page, 'sign-in-wrong');
  await signIn(page, '', `${PASSWORD} again`);
  await look(page, 'consent');
  await page.setJavaScriptEnabled(false);
  await press(page, 'button[value=allow]');
  // It sends itself where scripts run, and axe is one.
  await looked(page, `${language}-form-post`, { withAxe: false });
  await page.setJavaScriptEnabled(true);

  // The account.
  await at(page, '/account', 'account');
  await at(page, '/account/email', 'email');
  await at(page, '/account/password', 'password');
  await at(page, '/account/tokens', 'tokens');
  await page.type('#name', 'My script');
  await page.click('input[name="scope:orders:read"]');
  await press(page, 'form[action$="/create"] button');
  await look(page, 'token-made');
  await at(page, '/account/tokens', 'tokens-one');

  // Requests by the back channel, and a device.
  await at(page, '/approvals', 'approvals-none');
  await oidc.initiateBackchannelAuthentication(caller, {
    scope: SCOPES, login_hint: username, binding_message: 'W4SCT',
  });
  await at(page, '/approvals', 'approvals');
  await press(page, 'button[value=deny]');
  await look(page, 'approvals-denied');
  const started = await oidc.initiateDeviceAuthorization(config, { scope: SCOPES });
  await at(page, '/device', 'device-code');
  await page.type('#user_code', 'BBBB-BBBB');
  await press(page, 'button.primary');
  await look(page, 'device-code-unknown');
  await page.$eval('#user_code', (field) => { field.value = ''; });
  await page.type('#user_code', started.user_code);
  await press(page, 'button.primary');
  await look(page, 'device-confirm');
  await press(page, 'button[value=allow]');
  await look(page, 'device-connected');

  // An app for codes, and signing in with it.
  await at(page, '/account/factors', 'factors-none');
  await press(page, 'form[action$="/add"] button');
  await look(page, 'enrolment');
  const key = (await page.$eval('.key code', (one) => one.textContent)).replaceAll(' ', '');
  await page.type('#code', code(key, step()));
  await press(page, 'button.primary');
  await look(page, 'recovery-codes');
  await press(page, 'a.button');
  await look(page, 'factors');
  const elsewhere = await enter();
  await elsewhere.goto(`${ISSUER}/account/factors`);
  await signIn(elsewhere, username, `${PASSWORD} again`);
  await elsewhere.click('summary');
  await look(elsewhere, 'code');
  await elsewhere.type('#code', '000000');
  await press(elsewhere, 'button.primary');
  await look(elsewhere, 'code-wrong');
  await elsewhere.close();

  // What goes wrong, and the end.
  await at(page, '/authorize?client_id=nobody', 'problem-client');
  await at(page, '/login', 'problem-turn');
  await at(page, '/logout', 'logout');
  await press(page, 'button[value=out]');
  await look(page, 'signed-out');
  await page.close();
}

async function signIn(page, username, password) {
  if (username) await page.type('input[name=username]', username);
  await page.type('input[name=password]', password);
  await press(page, 'button.primary');
}

/** The link in the newest letter to an address, of which there are so many. */
async function link(email, number) {
  for (let step = 0; step < 100; step += 1) {
    const letters = (await mailbox('')).items.filter(({ to }) => to === email);
    if (letters.length === number || (number > 1 && letters.length > number)) {
      const { text } = await mailbox(`/${letters[0].id}`);
      const found = /\S+\/link\?code=\w+/.exec(text);
      if (found) return found[0];
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`no letter ${number} to ${email}`);
}

async function mailbox(path) {
  const answer = await fetch(`${ADMIN}/api/v1/mailbox${path}`, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}` },
  });
  ensure(answer.status === 200, `the mailbox answers ${answer.status}`);
  return answer.json();
}

async function client(id, secret) {
  return oidc.discovery(
    new URL(ISSUER), id, undefined, oidc.ClientSecretBasic(secret),
    { execute: [oidc.allowInsecureRequests] },
  );
}

async function request() {
  return oidc.buildAuthorizationUrl(config, {
    redirect_uri: CALLBACK,
    scope: SCOPES,
    response_mode: 'form_post',
    code_challenge: await oidc.calculatePKCECodeChallenge('a'.repeat(43)),
    code_challenge_method: 'S256',
  }).href;
}
