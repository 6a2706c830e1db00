// A person at Chromium with an authenticator: makes a passkey, signs in with it from the field of the name, by
// the button and after the password, gives it another name and removes it.
import puppeteer from 'puppeteer-core';

import { ensure, given } from './browser.mjs';
import { looked, press, visitor } from './pages.mjs';

const { ISSUER, USERNAME, PASSWORD, CHROMIUM } = given(
  'ISSUER', 'USERNAME', 'PASSWORD', 'CHROMIUM',
);
const FACTORS = `${ISSUER}/account/factors`;

const browser = await puppeteer.launch({
  executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'],
});
try {
  const page = await visitor(browser, { javascript: true });
  const device = await authenticator(page);
  await page.goto(FACTORS);
  await looked(page, 'sign-in-passkey');
  await byPassword(page);
  ensure(page.url() === FACTORS, `at ${page.url()}`);
  await looked(page, 'passkeys-none');
  await page.type('#new-passkey', 'My phone');
  await press(page, 'form[data-passkey=create] button');
  const codes = await page.$$eval('.codes code', (all) => all.length);
  ensure(codes === 10, `${codes} recovery codes`);
  await press(page, 'a.button');
  ensure((await page.content()).includes('<b>My phone</b>'), 'the passkey is not listed');
  await looked(page, 'passkeys');
  // The device has one already.
  await page.click('form[data-passkey=create] button');
  await page.waitForSelector('form[data-passkey] [role=alert]:not([hidden])');
  const trouble = await page.$eval('form[data-passkey] [role=alert]', (one) => one.textContent);
  ensure(trouble.includes('already'), trouble);
  await looked(page, 'passkeys-held');

  // From the field of the name: nobody presses anything.
  await signedOut(page);
  await Promise.all([page.waitForNavigation(), page.goto(FACTORS)]).catch(() => {});
  await page.waitForSelector('form[data-passkey=create]');

  // By the button.
  await page.evaluateOnNewDocument(() => {
    PublicKeyCredential.isConditionalMediationAvailable = async () => false;
  });
  await signedOut(page);
  await page.goto(FACTORS);
  await press(page, 'form[data-passkey=get] button');
  ensure(await page.$('form[data-passkey=create]'), 'not signed in by the button');

  // After the password, which is not enough any more. A device that is not sure who holds it is none.
  await signedOut(page);
  await page.goto(FACTORS);
  await byPassword(page);
  await looked(page, 'second-passkey');
  await device.verifies(false);
  await page.click('form[data-passkey=get] button');
  await page.waitForSelector('form[data-passkey] [role=alert]:not([hidden])');
  await looked(page, 'second-passkey-unverified');
  await device.verifies(true);
  await press(page, 'form[data-passkey=get] button');
  ensure(await page.$('form[data-passkey=create]'), 'not signed in after the password');

  await page.click('section summary');
  await page.$eval('#name-1', (field) => { field.value = 'Old phone'; });
  await press(page, 'form[action$="/rename"] button');
  ensure((await page.content()).includes('<b>Old phone</b>'), 'it has no other name');
  await press(page, 'form[action$="/remove"] button');
  ensure(await page.$('[role=status]'), 'the removal is not told');
  await signedOut(page);
  await page.goto(FACTORS);
  await press(page, 'form[data-passkey=get] button');
  ensure(await page.$('.notice[role=alert]'), 'a removed passkey is not told');
  await looked(page, 'sign-in-passkey-removed');

  // Without JavaScript nothing of it is seen, and the password does.
  const plain = await visitor(await browser.createBrowserContext(), { javascript: false });
  await plain.goto(FACTORS);
  ensure(!(await plain.$('form[data-passkey]')) || !(await seen(plain)), 'a button without a use');
  await byPassword(plain);
  ensure(plain.url() === FACTORS, `at ${plain.url()}`);
} finally {
  await browser.close();
}
console.log('ok: passkeys');

/** An authenticator in the device, which knows who holds it. */
async function authenticator(page) {
  const session = await page.createCDPSession();
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2', transport: 'internal', hasResidentKey: true, hasUserVerification: true,
      isUserVerified: true, automaticPresenceSimulation: true,
    },
  });
  return {
    verifies: (isUserVerified) =>
      session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
  };
}

async function byPassword(page) {
  await page.type('input[name=username]', USERNAME);
  await page.type('input[name=password]', PASSWORD);
  await press(page, 'button.primary');
}

async function signedOut(page) {
  await page.deleteCookie(...(await page.cookies()));
}

async function seen(page) {
  return page.$eval('form[data-passkey]', (form) => form.offsetHeight > 0);
}
