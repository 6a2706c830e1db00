// A person at Chromium, with JavaScript off, sets up an app for codes and signs in with it. The pages are
// looked at in both themes at the width of a phone.
import puppeteer from 'puppeteer-core';

import { ensure, given } from './browser.mjs';
import { looked, press, visitor } from './pages.mjs';
import { code, step } from './totp.mjs';

const { ISSUER, USERNAME, PASSWORD, CHROMIUM } = given(
  'ISSUER', 'USERNAME', 'PASSWORD', 'CHROMIUM',
);
const PLAIN = { javascript: false };

const browser = await puppeteer.launch({
  executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const page = await visitor(browser, PLAIN);
  await signIn(page);
  await looked(page, 'factors-none');
  await press(page, 'form[action$="/add"] button');
  await looked(page, 'enrolment');
  const key = (await page.$eval('.key code', (element) => element.textContent)).replaceAll(' ', '');
  const first = step();
  await page.type('#code', code(key, first));
  await press(page, 'button.primary');
  const codes = await page.$$eval('.codes code', (all) => all.map((one) => one.textContent));
  ensure(codes.length === 10, `${codes.length} recovery codes`);
  await looked(page, 'recovery-codes');
  await Promise.all([page.waitForNavigation(), page.click('a.button')]);
  await looked(page, 'factors');

  // Elsewhere the password is not enough: a wrong code, the one that was used, a recovery code.
  const elsewhere = await visitor(await browser.createBrowserContext(), PLAIN);
  await signIn(elsewhere);
  await looked(elsewhere, 'code');
  await elsewhere.type('#code', code(key, first));
  await press(elsewhere, 'button.primary');
  ensure(await elsewhere.$('[role=alert]'), 'a used code is not told');
  await looked(elsewhere, 'code-used');
  await elsewhere.click('summary');
  await elsewhere.type('#recovery_code', codes[0].toLowerCase());
  await press(elsewhere, 'details button');
  ensure(elsewhere.url().endsWith('/account/factors'), `at ${elsewhere.url()}`);

  // The next code, which an app shows already: the clock of the server may be a little behind.
  const third = await visitor(await browser.createBrowserContext(), PLAIN);
  await signIn(third);
  await third.type('#code', code(key, first + 1));
  await press(third, 'button.primary');
  ensure(third.url().endsWith('/account/factors'), `at ${third.url()}`);
  await press(third, 'form[action$="/remove"] button');
  ensure(await third.$('[role=status]'), 'the removal is not told');
} finally {
  await browser.close();
}
console.log('ok: second factor');

async function signIn(page) {
  await page.goto(`${ISSUER}/account/factors`);
  await page.type('input[name=username]', USERNAME);
  await page.type('input[name=password]', PASSWORD);
  await press(page, 'button[type=submit]');
}
