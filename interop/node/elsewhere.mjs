// A person at Chromium who has an account at an identity provider too: signs in there, goes back without, connects
// it to the account here and takes it off again, and disowns a sign-in. Every page on the way is looked at.
import puppeteer from 'puppeteer-core';

import { ensure, given } from './browser.mjs';
import { looked, press, visitor } from './pages.mjs';

const { ISSUER, REQUEST, USERNAME, PASSWORD, CHROMIUM } = given(
  'ISSUER', 'REQUEST', 'USERNAME', 'PASSWORD', 'CHROMIUM',
);
const browser = await puppeteer.launch({
  executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'],
});
try {
  // Who goes back is told so; who goes on has an account here afterwards.
  const carol = await visitor(await browser.createBrowserContext(), { javascript: true });
  await carol.goto(REQUEST);
  await looked(carol, 'sign-in-provider');
  await press(carol, 'button[value=acme]');
  await press(carol, 'a[href$="/abort"]');
  back(carol);
  await looked(carol, 'provider-refused');
  await press(carol, 'button[value=acme]');
  await there(carol, 'carol');
  ensure(await carol.$('button[name=decision]'), `no consent: ${carol.url()}`);
  await looked(carol, 'consent-provider');
  await carol.goto(`${ISSUER}/account/identities`);
  await looked(carol, 'identities-connected');
  await press(carol, 'form[action$="/remove"] button');
  await looked(carol, 'identities-only-way');

  // Somebody with a password connects an account there, and disconnects it.
  const olga = await visitor(await browser.createBrowserContext(), { javascript: true });
  await olga.goto(`${ISSUER}/account/identities`);
  await signIn(olga);
  await looked(olga, 'identities-none');
  await press(olga, 'button[value=acme]');
  await press(olga, 'a[href$="/abort"]');
  back(olga);
  await looked(olga, 'connect-refused');
  await olga.goto(`${ISSUER}/account/identities`);
  await press(olga, 'button[value=acme]');
  await there(olga, 'olga.elsewhere');
  await looked(olga, 'connect-question');
  await press(olga, 'form button[type=submit]');
  await looked(olga, 'identities-added');
  await press(olga, 'form[action$="/remove"] button');
  await looked(olga, 'identities-removed');

  // A sign-in from another browser was not hers.
  const other = await visitor(await browser.createBrowserContext(), { javascript: true });
  await other.goto(`${ISSUER}/account`);
  await signIn(other);
  await olga.goto(`${ISSUER}/account`);
  await looked(olga, 'account-with-provider');
  await press(olga, 'form[action$="/sign-ins/disown"] button');
  await looked(olga, 'disown');
} finally {
  await browser.close();
}
console.log('ok: the pages around identity providers');

async function signIn(page) {
  await page.type('#username', USERNAME);
  await page.type('#password', PASSWORD);
  await press(page, 'form:has(#password) button[type=submit]');
}

/** Through the pages of node-oidc-provider, as far as they come, and back here. */
async function there(page, name) {
  for (let steps = 0; steps < 4 && !page.url().startsWith(ISSUER); steps += 1) {
    if (await page.$('input[name=login]')) {
      await page.type('input[name=login]', name);
      await page.type('input[name=password]', 'anything');
    }
    await press(page, 'form button[type=submit]');
  }
  back(page);
}

/** What the other side loads, and its browser complains about there, is its own affair. */
function back(page) {
  ensure(page.url().startsWith(ISSUER), `not back: ${page.url()}`);
  page.complaints.length = 0;
  for (const url of page.loaded.keys()) if (!url.startsWith(ISSUER)) page.loaded.delete(url);
}
