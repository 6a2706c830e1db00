// A person at a browser without JavaScript: keeps cookies, follows redirects, fills in and sends
// the forms of the sign-in and consent pages.

/** Where the demo client lets answers be sent. Nothing listens there: only the address is read. */
export const CALLBACK = 'http://127.0.0.1/callback';

/** What the test was started with; every member is required. */
export function given(...names) {
  return Object.fromEntries(names.map((name) => {
    const value = process.env[name];
    if (!value) throw new Error(`the environment variable ${name} is not set`);
    return [name, value];
  }));
}

/** Fails with words when a condition does not hold. */
export function ensure(condition, words) {
  if (!condition) throw new Error(words);
}

/** Opens the authorization URL, signs in, agrees, and returns the callback URL with its answer. */
export async function signIn(authorizationUrl, { username, password }, callback = CALLBACK) {
  const cookies = new Map();
  let url = new URL(authorizationUrl);
  let form;
  for (let step = 0; step < 10; step += 1) {
    const response = await fetch(url, {
      method: form ? 'POST' : 'GET',
      body: form,
      redirect: 'manual',
      headers: { cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    keepCookies(cookies, response);
    const page = await response.text();
    const location = response.headers.get('location');
    if (location) {
      url = new URL(location, url);
      form = undefined;
      if (url.href.startsWith(`${callback}?`)) return url;
      continue;
    }
    ensure(response.ok, `${url} answered ${response.status}: ${words(page)}`);
    ({ action: url, fields: form } = filledIn(page, url, { username, password }));
  }
  throw new Error(`no answer at the callback after ten pages; the last was ${url}`);
}

function keepCookies(cookies, response) {
  for (const cookie of response.headers.getSetCookie()) {
    const [pair] = cookie.split(';');
    const equals = pair.indexOf('=');
    cookies.set(pair.slice(0, equals).trim(), pair.slice(equals + 1).trim());
  }
}

/** The first form of a page: what is hidden as it is, what a person knows filled in, `allow`. */
function filledIn(page, base, known) {
  const form = /<form\b([^>]*)>(.*?)<\/form>/s.exec(page);
  ensure(form, `no form in the page at ${base}: ${words(page)}`);
  const fields = new URLSearchParams();
  for (const [, tag] of form[2].matchAll(/<(?:input|button)\b([^>]*)>/gs)) {
    const name = attribute(tag, 'name');
    const type = attribute(tag, 'type');
    if (name in known) fields.set(name, known[name]);
    else if (type === 'hidden') fields.append(name, attribute(tag, 'value'));
    else if (name === 'decision' && attribute(tag, 'value') === 'allow') fields.set(name, 'allow');
  }
  return { action: new URL(attribute(form[1], 'action') || base, base), fields };
}

/** What a person reads on a page. */
function words(page) {
  return unescaped(page.replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' ').trim();
}

function attribute(tag, name) {
  const found = new RegExp(`(?:^|\\s)${name}="([^"]*)"`).exec(tag);
  return found ? unescaped(found[1]) : '';
}

function unescaped(text) {
  const named = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
  return text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal) return String.fromCodePoint(Number(decimal));
    if (hex) return String.fromCodePoint(parseInt(hex, 16));
    return named[name] ?? whole;
  });
}
