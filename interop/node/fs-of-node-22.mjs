// For a package that imports `globSync` of Node.js 22 without needing it here: gives it an `fs` that
// has the name.
import { register } from 'node:module';

const hooks = `
  const ours = 'tokenward:fs';
  export async function resolve(specifier, context, next) {
    const asked = specifier === 'fs' && context.parentURL?.includes('/@modelcontextprotocol/');
    return asked ? { url: ours, shortCircuit: true } : next(specifier, context);
  }
  export async function load(url, context, next) {
    if (url !== ours) return next(url, context);
    const source = "import fs from 'node:fs'; export * from 'node:fs';"
      + 'export const globSync = fs.globSync;';
    return { format: 'module', source, shortCircuit: true };
  }
`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`);
