// A person in front of Chromium, and what every page has to stand: both themes at the width of a phone, the
// size of all that it loads, and what axe finds about who cannot see or use a mouse.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';

import { ensure } from './browser.mjs';

const PHONE = { width: 360, height: 740, deviceScaleFactor: 2 };
const MOST_BYTES = 50_000;
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** A page of a phone that notes what its browser complains about, and how much it loads. */
export async function visitor(context, { javascript, language }) {
  const page = await context.newPage();
  await page.setViewport(PHONE);
  await page.setJavaScriptEnabled(javascript);
  if (language) await page.setExtraHTTPHeaders({ 'accept-language': language });
  page.language = language;
  page.complaints = [];
  page.loaded = new Map();
  page.hasScript = javascript;
  page.on('console', (message) => {
    // That a form was refused with a status is meant so.
    const meant = /the server responded with a status of 4\d\d/.test(message.text());
    if (message.type() === 'error' && !meant) page.complaints.push(message.text());
  });
  page.on('pageerror', (error) => page.complaints.push(`${error}`));
  page.on('response', async (answer) => {
    const body = await answer.buffer().catch(() => Buffer.alloc(0));
    page.loaded.set(answer.url(), body.length);
  });
  return page;
}

/** Looks at the page. With SCREENSHOTS set to a folder it is kept there. What axe finds is the same in every
 * language, so one of them is enough for it. */
export async function looked(page, name, { withAxe = true } = {}) {
  await spoken(page, name);
  for (const theme of ['light', 'dark']) {
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: theme }]);
    const wide = await page.$eval('html', (element) => element.scrollWidth);
    ensure(wide <= PHONE.width, `${name}: ${wide} pixels wide`);
    if (process.env.SCREENSHOTS) {
      const path = join(process.env.SCREENSHOTS, `${name}-${theme}.png`);
      await page.screenshot({ path, fullPage: true });
    }
    if (withAxe) await usable(page, `${name}, ${theme}`);
  }
  const parts = await page.$$eval('link[href], script[src]', (all) =>
    all.map((one) => one.href ?? one.src));
  const sizes = [page.url(), ...parts].map((url) => page.loaded.get(url) ?? 0);
  const bytes = sizes.reduce((sum, size) => sum + size, 0);
  ensure(bytes > 0 && bytes < MOST_BYTES, `${name} has ${bytes} bytes`);
  const own = (url) => new URL(url).origin === new URL(page.url()).origin;
  const foreign = [...parts, ...page.loaded.keys()].filter((url) => !own(url));
  ensure(foreign.length === 0, `${name} loads from elsewhere: ${foreign}`);
  ensure(page.complaints.length === 0, `the browser complains: ${page.complaints.join('; ')}`);
}

/** That the page is in the language of its visitor, with nothing left open in it. */
async function spoken(page, name) {
  const language = await page.$eval('html', (element) => element.lang);
  ensure(language === (page.language ?? 'en'), `${name} is in ${language}`);
  const words = await page.$eval('body', (element) => element.innerText);
  ensure(!/[{}]/.test(words), `${name} has places without values: ${words}`);
}

export async function press(page, selector) {
  await Promise.all([page.waitForNavigation(), page.click(selector)]);
}

/** What axe calls serious or critical. */
async function usable(page, name) {
  if (!page.hasScript) return;
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    // Colours that are still changing have no contrast of their own; to wait would be to wait for frames that
    // a page which nobody looks at may never get.
    for (const one of document.getAnimations()) one.finish();
    const { violations } = await axe.run(document);
    return violations
      .filter(({ impact }) => ['serious', 'critical'].includes(impact))
      .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
  });
  ensure(found.length === 0, `${name}: ${found.join('; ')}`);
}
