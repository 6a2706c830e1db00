// Somebody guesses a person's password from many networks. At Chromium the person signs in all the same: with
// scripts after some work that the page does while they type, without scripts the page says how long to wait.
import { request } from 'node:http';

import puppeteer from 'puppeteer-core';

import { ensure, given } from './browser.mjs';
import { looked, press, visitor } from './pages.mjs';

const { ISSUER, USERNAME, PASSWORD, CHROMIUM } = given(
  'ISSUER', 'USERNAME', 'PASSWORD', 'CHROMIUM',
);

// Five failures from each of four addresses, which are four networks: from the next one work is asked for first.
for (let guess = 0; guess < 22; guess += 1) {
  const status = await fail(`127.0.0.${2 + Math.floor(guess / 5)}`);
  const expected = guess < 21 ? 400 : 429;
  ensure(status === expected, `wrong password ${guess + 1} is answered with ${status}`);
}
const browser = await puppeteer.launch({
  executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'],
});
try {
  for (const language of ['en', 'de', 'fr', 'es', 'pt']) {
    for (const javascript of [true, false]) {
      const page = await enter({ javascript, language });
      await signIn(page, USERNAME, PASSWORD);
      await asked(page, javascript);
      await looked(page, `${language}-puzzle-${javascript ? 'works' : 'waits'}`, {
        withAxe: language === 'en',
      });
      await page.close();
    }
  }

  // The button is pressed at once; the form is sent when the work is done.
  const page = await enter({ javascript: true, language: 'en' });
  await signIn(page, USERNAME, PASSWORD);
  await signIn(page, '', PASSWORD);
  ensure(page.url() === `${ISSUER}/account`, `after the work the browser is at ${page.url()}`);

  // Who goes back waits for nothing.
  const other = await enter({ javascript: true, language: 'en' });
  await signIn(other, USERNAME, PASSWORD);
  await press(other, 'button[name=cancel]');
  ensure(other.url() === `${ISSUER}/login`, `the browser is at ${other.url()}`);
  ensure(!(await other.$('input[name=password]')), 'the form is still there');

  // A browser that its person has signed in with is not asked.
  await page.goto(`${ISSUER}/logout`);
  await press(page, 'button[value=out]');
  await page.goto(`${ISSUER}/account`);
  await signIn(page, USERNAME, PASSWORD);
  ensure(page.url() === `${ISSUER}/account`, `a known browser is at ${page.url()}`);
} finally {
  await browser.close();
}
console.log('ok: guessing');

async function enter(options) {
  const page = await visitor(await browser.createBrowserContext(), options);
  await page.goto(`${ISSUER}/account`);
  return page;
}

async function asked(page, hasScript) {
  const shown = (selector) => page.$eval(selector, (part) => part.getClientRects().length > 0);
  ensure(await page.$('form[data-puzzle]'), 'nobody is asked for work');
  ensure(await shown('[data-work]') === hasScript, 'the work is shown where it is not done, or the reverse');
  ensure(await shown('[data-unscripted]') === !hasScript, 'who has no script is not told to wait');
}

async function signIn(page, username, password) {
  if (username) await page.type('input[name=username]', username);
  await page.type('input[name=password]', password);
  await press(page, 'button.primary');
}

/** One wrong password from an address; returns the status of the answer. */
async function fail(localAddress) {
  const shown = await sent({ localAddress, path: '/account', method: 'GET' });
  const hidden = (name) => new RegExp(`name="${name}" value="([^"]*)"`).exec(shown.text)[1];
  const form = new URLSearchParams({
    request: hidden('request').replaceAll('&#38;', '&'),
    csrf: hidden('csrf'),
    username: USERNAME,
    password: 'not the password at all',
  });
  const cookie = shown.cookies.map((one) => one.split(';')[0]).join('; ');
  const headers = { 'content-type': 'application/x-www-form-urlencoded', cookie };
  const { status } = await sent({ localAddress, path: '/login', method: 'POST', headers }, `${form}`);
  return status;
}

function sent(options, body = '') {
  const { port } = new URL(ISSUER);
  return new Promise((resolve, reject) => {
    const asking = request({ host: '127.0.0.1', port, ...options }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve({
        status: answer.statusCode,
        cookies: answer.headers['set-cookie'] ?? [],
        text: Buffer.concat(parts).toString(),
      }));
    });
    asking.on('error', reject);
    asking.end(body);
  });
}
