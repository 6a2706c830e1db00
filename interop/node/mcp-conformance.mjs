// The conformance suite of the Model Context Protocol, as it tests an authorization server.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { createClient } from './admin.mjs';
import { CALLBACK, ensure, given, signIn } from './browser.mjs';

const { ISSUER, USERNAME, PASSWORD } = given('ISSUER', 'USERNAME', 'PASSWORD');
// The suite shows no secret to a server that knows public clients.
const client = await createClient({
  client_name: 'conformance',
  token_endpoint_auth_method: 'none',
  grant_types: ['authorization_code', 'refresh_token'],
  redirect_uris: [CALLBACK],
  scope: 'openid orders:read',
});
const port = await freePort();
const suite = fileURLToPath(
  new URL('../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
);
const run = spawn(process.execPath, [
  '--import', new URL('fs-of-node-22.mjs', import.meta.url).href,
  suite, 'authorization', '--url', ISSUER, '--client-id', client.client_id, '--port', `${port}`,
], { stdio: ['ignore', 'pipe', 'inherit'] });
let said = '';
const ended = new Promise((resolve) => run.on('exit', resolve));
for await (const line of createInterface({ input: run.stdout })) {
  said += `${line}\n`;
  // It prints the address for a person, and waits for the answer.
  if (line.startsWith(`${ISSUER}/authorize?`)) {
    const callback = new URL(line).searchParams.get('redirect_uri');
    await fetch(await signIn(line, { username: USERNAME, password: PASSWORD }, callback));
  }
}
const status = await ended;
console.log(said);
ensure(status === 0, `the suite ended with ${status}`);
ensure(/Total: [1-9]\d* passed, 0 failed/.test(said), 'something failed');
ensure(!/[1-9]\d* warnings/.test(said), 'something is only almost as it should be');
ensure(!/SKIPPED/.test(said), 'something was left out');
console.log('ok: MCP conformance');

/** A port of which the suite is told, since it cannot choose one by itself. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer().on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
