// A server of the Model Context Protocol, made with its own SDK, that has what the conformance suite asks for: its
// port as a line of JSON.
import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';

import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { z } from 'zod';

const PIXEL = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const sessions = new Map();

const http = createServer(async (request, response) => {
  const own = sessions.get(request.headers['mcp-session-id']);
  if (request.headers['mcp-session-id'] && !own) {
    response.writeHead(404).end();
    return;
  }
  const transport = own ?? await open();
  await transport.handleRequest(request, response);
});
http.listen(0, '127.0.0.1', () => console.log(JSON.stringify({ port: http.address().port })));

async function open() {
  const transport = new StreamableHTTPServerTransport({
    sessionIdGenerator: randomUUID,
    onsessioninitialized: (id) => sessions.set(id, transport),
    onsessionclosed: (id) => sessions.delete(id),
  });
  await describe(new McpServer(
    { name: 'behind-the-gateway', version: '1.0.0' },
    { capabilities: { resources: {}, prompts: {} } },
  )).connect(transport);
  return transport;
}

function describe(mcp) {
  const text = (words) => ({ content: [{ type: 'text', text: words }] });
  const tool = (name, inputSchema, run) => {
    mcp.registerTool(name, { description: name, inputSchema }, run);
  };
  tool('test_simple_text', {}, () => text('This is a simple text response for testing.'));
  tool('test_tool_with_progress', {}, async (_, { _meta, sendNotification }) => {
    for (const progress of [0, 50, 100]) {
      const params = { progressToken: _meta.progressToken, progress, total: 100 };
      await sendNotification({ method: 'notifications/progress', params });
      await pause(50);
    }
    return text('done');
  });
  tool('test_sampling', { prompt: z.string() }, async ({ prompt }) => {
    const messages = [{ role: 'user', content: { type: 'text', text: prompt } }];
    const { content } = await mcp.server.createMessage({ messages, maxTokens: 100 });
    return text(`Response: ${content.text}`);
  });
  tool('test_elicitation', { message: z.string() }, async ({ message }) => {
    const requestedSchema = {
      type: 'object',
      properties: {
        username: { type: 'string', description: "User's response" },
        email: { type: 'string', description: "User's email address" },
      },
      required: ['username', 'email'],
    };
    const answer = await mcp.server.elicitInput({ message, requestedSchema });
    return text(`User response: action=${answer.action}, content=${JSON.stringify(answer.content)}`);
  });
  const resource = (name, mimeType, contents) => {
    const uri = `test://${name}`;
    const read = () => ({ contents: [{ uri, mimeType, ...contents }] });
    mcp.registerResource(name, uri, { description: name, mimeType }, read);
  };
  resource('static-binary', 'image/png', { blob: PIXEL });
  mcp.registerPrompt('test_simple_prompt', { description: 'A prompt' }, () => ({
    messages: [{
      role: 'user', content: { type: 'text', text: 'This is a simple prompt for testing.' },
    }],
  }));
  return mcp;
}
