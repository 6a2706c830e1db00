// An API that says what it has understood of each request: its port first (PORT, or any), then a line of JSON for
// each.
import { createServer } from 'node:http';

const server = createServer((request, response) => {
  const body = [];
  const tell = (whole) => say({
    method: request.method,
    target: request.url,
    resolved: resolve(request.url),
    fields: pairs(request.rawHeaders),
    trailers: pairs(request.rawTrailers),
    body: Buffer.concat(body).toString('latin1'),
    whole,
  });
  request.on('data', (part) => body.push(part));
  request.on('error', () => tell(false));
  request.on('end', () => {
    tell(true);
    response.end('fine');
  });
});
server.keepAliveTimeout = 60_000;
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => say({ port: server.address().port }));

function say(line) {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

/** The path as programs for Node look at it: dot segments and backslashes are resolved, then it is decoded. */
function resolve(target) {
  try {
    return decodeURIComponent(new URL(target, 'http://api.example').pathname);
  } catch (error) {
    return `not a path: ${error.message}`;
  }
}

function pairs(raw) {
  return raw.flatMap((name, at) => (at % 2 === 0 ? [[name, raw[at + 1]]] : []));
}
