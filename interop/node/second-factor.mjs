// A person at Chromium, with JavaScript off, sets up an app for codes and signs in with it. The pages are
// looked at in both themes at the width of a phone: nothing may be wider than the screen, and the browser
// may have nothing to complain about. With SCREENSHOTS set to a folder they are kept there.
import { createHmac } from 'node:crypto';
import { join } from 'node:path';

import puppeteer from 'puppeteer-core';

import { ensure, given } from './browser.mjs';

const { ISSUER, USERNAME, PASSWORD, CHROMIUM } = given(
  'ISSUER', 'USERNAME', 'PASSWORD', 'CHROMIUM',
);
const PHONE = { width: 360, height: 740, deviceScaleFactor: 2 };

const browser = await puppeteer.launch({
  executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const page = await visitor(browser);
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
  const elsewhere = await visitor(await browser.createBrowserContext());
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
  const third = await visitor(await browser.createBrowserContext());
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

/** A page of a phone, without JavaScript, that fails when the browser complains. */
async function visitor(context) {
  const page = await context.newPage();
  await page.setViewport(PHONE);
  await page.setJavaScriptEnabled(false);
  page.complaints = [];
  page.on('console', (message) => {
    // That a form was refused with a status is meant so.
    const meant = message.text().includes('the server responded with a status of 400');
    if (message.type() === 'error' && !meant) page.complaints.push(message.text());
  });
  return page;
}

async function signIn(page) {
  await page.goto(`${ISSUER}/account/factors`);
  await page.type('input[name=username]', USERNAME);
  await page.type('input[name=password]', PASSWORD);
  await press(page, 'button[type=submit]');
}

async function looked(page, name) {
  for (const theme of ['light', 'dark']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
    const wide = await page.$eval('html', (element) => element.scrollWidth);
    ensure(wide <= PHONE.width, `${name}: ${wide} pixels wide`);
    if (process.env.SCREENSHOTS) {
      const path = join(process.env.SCREENSHOTS, `${name}-${theme}.png`);
      await page.screenshot({ path, fullPage: true });
    }
  }
  ensure(page.complaints.length === 0, `the browser complains: ${page.complaints.join('; ')}`);
}

async function press(page, selector) {
  await Promise.all([page.waitForNavigation(), page.click(selector)]);
}

function step() {
  return Math.floor(Date.now() / 30_000);
}

/** RFC 6238. */
function code(key, at) {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...key].map((letter) => letters.indexOf(letter).toString(2).padStart(5, '0')).join('');
  const secret = Buffer.from(bits.match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(at));
  const tag = createHmac('sha1', secret).update(counter).digest();
  const number = tag.readUInt32BE(tag[19] & 15) & 0x7fffffff;
  return String(number % 1_000_000).padStart(6, '0');
}
