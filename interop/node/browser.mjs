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
export async function signIn(authorizationUrl, person, callback = CALLBACK) {
  const { url } = await new Browser(person).open(authorizationUrl, callback);
  ensure(url.href.startsWith(`${callback}?`), `no answer at the callback; the last was ${url}`);
  return url;
}

/** A browser profile with its cookies, and who sits at it. */
export class Browser {
  #cookies = new Map();

  #person;

  constructor(person) {
    this.#person = person;
  }

  /**
   * Opens an address and goes on through every form, to the page that has none or to an address that
   * is not ours: that is only read. Returns where it ended, and the words of the page.
   */
  async open(address, callback = CALLBACK) {
    let url = new URL(address);
    let form;
    for (let step = 0; step < 10; step += 1) {
      if (url.href.split('?')[0] === callback) return { url, page: '' };
      const response = await fetch(url, {
        method: form ? 'POST' : 'GET',
        body: form,
        redirect: 'manual',
        headers: { cookie: [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ') },
      });
      keepCookies(this.#cookies, response);
      const page = await response.text();
      const location = response.headers.get('location');
      if (location) {
        [url, form] = [new URL(location, url), undefined];
        continue;
      }
      ensure(response.ok, `${url} answered ${response.status}: ${words(page)}`);
      if (!page.includes('<form')) return { url, page: words(page) };
      ({ action: url, fields: form } = filledIn(page, url, this.#person));
    }
    throw new Error(`no end after ten pages; the last was ${url}`);
  }
}

function keepCookies(cookies, response) {
  for (const cookie of response.headers.getSetCookie()) {
    const [pair] = cookie.split(';');
    const equals = pair.indexOf('=');
    cookies.set(pair.slice(0, equals).trim(), pair.slice(equals + 1).trim());
  }
}

/** The first form of a page: what is in it as it is, what a person knows filled in, and yes to all. */
function filledIn(page, base, known) {
  const form = /<form\b([^>]*)>(.*?)<\/form>/s.exec(page);
  ensure(form, `no form in the page at ${base}: ${words(page)}`);
  const fields = new URLSearchParams();
  for (const [, kind, tag] of form[2].matchAll(/<(input|button)\b([^>]*)>/gs)) {
    const name = attribute(tag, 'name');
    if (name in known) fields.set(name, known[name]);
    else if (kind === 'input') fields.append(name, attribute(tag, 'value'));
    else if (name === 'decision' && ['allow', 'out'].includes(attribute(tag, 'value'))) {
      fields.set(name, attribute(tag, 'value'));
    }
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
