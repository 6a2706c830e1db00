// The conformance suite of the Model Context Protocol, as it tests a server, which is behind the gateway; and how
// the SDK's client is told where it gets a token for it.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

import {
  discoverOAuthProtectedResourceMetadata, extractWWWAuthenticateParams, UnauthorizedError,
} from '@modelcontextprotocol/sdk/client/auth.js';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';

import { ensure, given } from './browser.mjs';

const { GATEWAY, ISSUER, TOKEN } = given('GATEWAY', 'ISSUER', 'TOKEN');
const SERVER = new URL('/mcp', GATEWAY);
const AT_ONCE = 3;
// Each starts a program: these have every kind of message between them, and every way it goes.
const SCENARIOS = [
  'server-initialize', 'server-session-lifecycle', 'tools-call-simple-text', 'tools-call-with-progress',
  'tools-call-sampling', 'tools-call-elicitation', 'server-sse-multiple-streams',
  'resources-read-binary', 'prompts-get-simple',
];
const suite = fileURLToPath(
  new URL('../node_modules/@modelcontextprotocol/conformance/dist/index.js', import.meta.url),
);

await whoBringsNothingIsTold();
const waiting = [...SCENARIOS];
await Promise.all(Array.from({ length: AT_ONCE }, async () => {
  while (waiting.length > 0) {
    await passes(waiting.shift());
  }
}));
console.log('ok: MCP conformance of a server behind the gateway');

async function passes(scenario) {
  const preload = (name) => ['--import', new URL(name, import.meta.url).href];
  const run = spawn(process.execPath, [
    ...preload('fs-of-node-22.mjs'), ...preload('with-token.mjs'), suite,
    'server', '--url', SERVER.href, '--scenario', scenario, '--spec-version', '2025-11-25',
  ], { stdio: ['ignore', 'pipe', 'inherit'], env: { ...process.env, URL_OF_TOKEN: GATEWAY, TOKEN } });
  const ended = new Promise((resolve) => run.on('exit', resolve));
  const said = await text(run.stdout);
  ensure(await ended === 0, `${scenario}: ${said}`);
  ensure(/Passed: ([1-9]\d*)\/\1, 0 failed, 0 warnings/.test(said), `${scenario}: ${said}`);
}

async function whoBringsNothingIsTold() {
  const refused = await fetch(SERVER, { method: 'POST', body: '{}' });
  ensure(refused.status === 401, `the gateway answers ${refused.status} to nobody`);
  const { resourceMetadataUrl, scope } = extractWWWAuthenticateParams(refused);
  ensure(scope === 'tools', `the challenge asks for the scope ${scope}`);
  const found = await discoverOAuthProtectedResourceMetadata(SERVER, { resourceMetadataUrl });
  ensure(found.resource === new URL(GATEWAY).origin, `the metadata are of ${found.resource}`);
  ensure(found.authorization_servers.join() === ISSUER, `its tokens are of ${found.authorization_servers}`);
  ensure(found.scopes_supported.includes('tools'), `it knows ${found.scopes_supported}`);
  const connect = async (headers) => {
    const client = new Client({ name: 'assistant', version: '1.0.0' });
    await client.connect(new StreamableHTTPClientTransport(SERVER, { requestInit: { headers } }));
    return client;
  };
  const error = await connect({}).then(() => undefined, (reason) => reason);
  ensure(error instanceof UnauthorizedError || error?.code === 401, `the client says ${error}`);
  const client = await connect({ authorization: `Bearer ${TOKEN}` });
  const answer = await client.callTool({ name: 'test_simple_text', arguments: {} });
  ensure(answer.content[0].text.startsWith('This is a simple text'), 'the tool says something else');
  await client.close();
}
