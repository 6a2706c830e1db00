// oidc-client-ts in Chromium, an application without a server at another origin: discovery, keys, code,
// UserInfo, renewal and revocation all have to be let through by the browser (CORS). Once with bearer
// tokens, once with tokens that are bound to a key which never leaves the browser (DPoP).
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';

import puppeteer from 'puppeteer-core';

import { createClient } from './admin.mjs';
import { ensure, given } from './browser.mjs';

const { ISSUER, USERNAME, PASSWORD, CHROMIUM } = given(
  'ISSUER', 'USERNAME', 'PASSWORD', 'CHROMIUM',
);
const library = await readFile(
  new URL('../node_modules/oidc-client-ts/dist/browser/oidc-client-ts.min.js', import.meta.url),
);
const application = createServer((request, answer) => {
  const isLibrary = request.url === '/oidc.js';
  answer.setHeader('content-type', isLibrary ? 'text/javascript' : 'text/html');
  answer.end(isLibrary ? library : '<!doctype html><title>App</title><script src="/oidc.js"></script>');
});
await new Promise((resolve) => application.listen(0, 'localhost', resolve));
const origin = `http://localhost:${application.address().port}`;
const client = await createClient({
  client_name: 'Single page',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: [`${origin}/callback`],
  post_logout_redirect_uris: [`${origin}/goodbye`],
  scope: 'openid profile orders:read offline_access',
});
const settings = {
  authority: ISSUER,
  client_id: client.client_id,
  redirect_uri: `${origin}/callback`,
  post_logout_redirect_uri: `${origin}/goodbye`,
  scope: 'openid profile orders:read offline_access',
  automaticSilentRenew: false,
};
const browser = await puppeteer.launch({
  executablePath: CHROMIUM, args: ['--no-sandbox', '--disable-gpu'],
});
try {
  for (const bound of [false, true]) {
    const context = await browser.createBrowserContext();
    const page = await context.newPage();
    const complaints = [];
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(`${error}`));
    page.on('requestfailed', (request) => complaints.push(`${request.url()} failed`));
    await page.evaluateOnNewDocument((settings, bound) => {
      window.manager = () => new oidc.UserManager({
        ...settings,
        // The library asks for UserInfo with bearer tokens alone.
        loadUserInfo: !bound,
        ...bound && { dpop: { bind_authorization_code: true, store: new oidc.IndexedDbDPoPStore() } },
      });
    }, settings, bound);
    await page.goto(origin);
    await Promise.all([
      page.waitForNavigation(), page.evaluate(() => { manager().signinRedirect(); }),
    ]);
    await page.type('input[name=username]', USERNAME);
    await page.type('input[name=password]', PASSWORD);
    await press(page, 'button[type=submit]');
    await press(page, 'button[name=decision][value=allow]');
    ensure(page.url().startsWith(`${origin}/callback?`), `the browser is at ${page.url()}`);
    const seen = await page.evaluate(visit);
    ensure(seen.name === USERNAME, `userinfo is about ${seen.name}`);
    ensure(seen.keys > 0, 'the keys cannot be read');
    ensure(seen.type === (bound ? 'DPoP' : 'Bearer'), `the token is ${seen.type}`);
    ensure(seen.renewed, 'the token was not renewed');
    ensure(seen.after === 'invalid_grant', `after revocation: ${seen.after}`);
    // The one refusal that was wanted is written to the console.
    const unwanted = complaints.filter((text) => !text.includes('status of 400'));
    ensure(unwanted.length === 0, `the browser complains: ${unwanted.join('; ')}`);
    await Promise.all([
      page.waitForNavigation(), page.evaluate((hint) => {
        manager().signoutRedirect({ id_token_hint: hint });
      }, seen.hint),
    ]);
    await page.waitForFunction((goodbye) => location.href.startsWith(goodbye), {}, `${origin}/goodbye`);
    await context.close();
  }
} finally {
  await browser.close();
  application.close();
}
console.log('ok: oidc-client-ts');

/** What the application does, in its page. */
async function visit() {
  const here = manager();
  const user = await here.signinRedirectCallback();
  let told = user.profile;
  if (user.token_type === 'DPoP') {
    const url = await here.metadataService.getUserInfoEndpoint();
    const proof = await here.dpopProof(url, user);
    const headers = { Authorization: `DPoP ${user.access_token}`, DPoP: proof };
    told = await (await fetch(url, { headers })).json();
  }
  const keys = await here.metadataService.getSigningKeys();
  const renewed = await here.signinSilent();
  const { id_token: hint, refresh_token: last } = renewed;
  await here.revokeTokens(['refresh_token']);
  await here.storeUser(new oidc.User({ ...renewed, refresh_token: last }));
  const after = await here.signinSilent().then(() => 'renewed', (error) => error.error ?? `${error}`);
  return {
    name: told.preferred_username,
    keys: keys.length,
    type: user.token_type,
    renewed: renewed.access_token !== user.access_token,
    after,
    hint,
  };
}

async function press(page, button) {
  await Promise.all([page.waitForNavigation(), page.click(button)]);
}
