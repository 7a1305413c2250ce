import type { TargetForm, TargetProblem, WrittenTarget } from '@sluice/core/contract/upstream.ts';

/** RFC 9110 section 5.1: a field name is a token. */
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** Fields that the gateway writes itself, or that belong to one connection. */
const ownFields = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-length',
  'content-type',
  'cookie',
  'expect',
  'host',
  'keep-alive',
  'last-event-id',
  'mcp-protocol-version',
  'mcp-session-id',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** What the configuration says of an upstream MCP server. */
export const mcpTargets: TargetForm = {
  settings: [
    {
      key: 'path',
      form: 'text',
      problem: (value) =>
        /^\/[\x21-\x7e]*$/.test(value) && !value.includes('#')
          ? undefined
          : 'must begin with / and be visible ASCII without a fragment',
      doc: 'Path of its MCP endpoint (streamable HTTP); absent: `/mcp`. Not for a `command`.',
    },
    {
      key: 'host',
      form: 'text',
      problem: (value) =>
        /^[A-Za-z0-9.-]+(?::\d{1,5})?$|^\[[0-9a-fA-F:.]+\](?::\d{1,5})?$/.test(value)
          ? undefined
          : 'must be a host name, with :port if it has one',
      doc: 'What it is sent as the Host; absent: its `address`. Not for a `command`.',
    },
    {
      key: 'header_name',
      form: 'text',
      problem: (value) =>
        token.test(value) && !ownFields.has(value.toLowerCase()) ? undefined : 'must be the name of a header field',
      doc: 'Name of the header field that carries the secret `header`.',
    },
  ],
  credential: {
    username: 'none',
    secrets: [
      { key: 'bearer', doc: 'A token, sent as `Authorization: Bearer`.' },
      { key: 'header', doc: 'The value of the header field that `header_name` names.' },
      { key: 'api_key', doc: 'For a `command`: its variable `API_KEY`.' },
      { key: 'access_token', doc: 'For a `command`: its variable `ACCESS_TOKEN`.' },
      { key: 'password', doc: 'For a `command`: its variable `PASSWORD`.' },
      {
        key: 'token',
        doc: 'For a `command`: its variable `TOKEN`. A program that wants another name gets it from a shell: `[sh, -c, "GITHUB_TOKEN=$TOKEN exec server"]`.',
      },
    ],
  },
  reachedBy: ['address', 'command'],
  check: (targets) => targets.flatMap(problemsOf),
};

const forAddress = ['path', 'host', 'header_name'];
const secretsForAddress = ['bearer', 'header'];

function problemsOf({ name: target, reachedBy, settings, secrets }: WrittenTarget): readonly TargetProblem[] {
  if (reachedBy === 'command') {
    return [
      ...forAddress.filter((key) => settings[key] !== undefined),
      ...secretsForAddress.filter((key) => secrets.includes(key)),
    ].map((key) => ({ target, key, message: 'is for a target with an address: a program is not spoken to over HTTP' }));
  }
  const problems: TargetProblem[] = secrets
    .filter((key) => !secretsForAddress.includes(key))
    .map((key) => ({ target, key, message: 'is for a target with a command: nothing else has an environment' }));
  if (secrets.includes('header') && settings['header_name'] === undefined) {
    problems.push({ target, key: 'header', message: 'needs header_name, the field that carries it' });
  }
  if (settings['header_name'] !== undefined && !secrets.includes('header')) {
    problems.push({ target, key: 'header_name', message: 'names a field for the secret `header`, which is not there' });
  }
  return problems;
}
