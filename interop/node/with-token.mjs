// Loaded before a program that knows of no tokens: what it sends to the origin of URL_OF_TOKEN brings TOKEN along.
const { URL_OF_TOKEN, TOKEN } = process.env;
const plain = globalThis.fetch;

globalThis.fetch = (input, init = {}) => {
  const headers = new Headers(init.headers ?? input.headers);
  if (new URL(input.url ?? input).origin === new URL(URL_OF_TOKEN).origin) {
    headers.set('authorization', `Bearer ${TOKEN}`);
  }
  return plain(input, { ...init, headers });
};
