import type { TargetForm, TargetProblem, TargetSettings, WrittenTarget } from '@sluice/core/contract/upstream.ts';
import { ownFields } from './request/request-headers.ts';

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const path = /^(?:\/[A-Za-z0-9._~!$&'()*+,=:@-]+)+$/;

/** A host name as targets are given them: no port, no dot at the end. */
const hostName = /^[a-z0-9](?:[a-z0-9._-]{0,251}[a-z0-9])?$/;

/** What the configuration says of an HTTP API. */
export const httpTargets: TargetForm = {
  settings: [
    {
      key: 'hosts',
      form: 'list',
      problem: (value) =>
        hostName.test(value) ? undefined : 'must be a host name in lower case, without scheme, port and path',
      doc: 'Names that clients reach it by, as the Host of their requests. The target’s own name always is one; `/t/<target>/…` works under every name.',
    },
    {
      key: 'host',
      form: 'text',
      problem: (value) =>
        /^[A-Za-z0-9._-]+(?::\d{1,5})?$|^\[[0-9a-fA-F:.]+\](?::\d{1,5})?$/.test(value)
          ? undefined
          : 'must be a host name, with :port if it has one',
      doc: 'What it is sent as the Host; absent: its `address`.',
    },
    {
      key: 'base_path',
      form: 'text',
      problem: (value) => (path.test(value) ? undefined : 'must begin with / and not end with it, like /api/v2'),
      doc: 'Goes in front of every path that is sent to it. Policies and labels see the path without it.',
    },
    {
      key: 'identify',
      form: 'text',
      values: ['authorization', 'sluice-authorization'],
      doc: 'The header field in which clients prove who they are; absent: `authorization`. With `sluice-authorization`, the field `Authorization` is the API’s own and is passed on.',
    },
    {
      key: 'graphql_paths',
      form: 'list',
      problem: (value) => (path.test(value) ? undefined : 'must be a path that begins with /, like /graphql'),
      doc: 'Paths at which it takes GraphQL. What is sent there is understood as GraphQL, or refused.',
    },
    {
      key: 'request_headers',
      form: 'list',
      problem: (value) =>
        !token.test(value)
          ? 'must be the name of a header field'
          : ownFields.has(value.toLowerCase())
            ? 'is a header field that the gateway writes itself, or never passes on'
            : undefined,
      doc: 'Header fields of requests that are passed on, beside those that every API knows. Others are dropped.',
    },
    {
      key: 'repeated_parameters',
      form: 'text',
      values: ['refuse', 'join'],
      doc: 'What becomes of a request with a parameter that comes twice in its query or form: refused (if absent), or policy sees all values, joined by commas.',
    },
    {
      key: 'header_name',
      form: 'text',
      problem: (value) =>
        token.test(value) && (!ownFields.has(value.toLowerCase()) || value.toLowerCase() === 'x-api-key')
          ? undefined
          : 'must be the name of a header field that the gateway does not write itself',
      doc: 'Name of the header field that carries the secret `header`.',
    },
  ],
  credential: {
    username: 'optional',
    secrets: [
      { key: 'bearer', doc: 'A token, sent as `Authorization: Bearer`.' },
      { key: 'password', doc: 'With `username`, sent as `Authorization: Basic`.' },
      { key: 'header', doc: 'The value of the header field that `header_name` names.' },
      { key: 'client_certificate', doc: 'A certificate with its intermediates (PEM), shown when TLS asks for one.' },
      { key: 'client_key', doc: 'The private key of `client_certificate` (PEM, not encrypted).' },
    ],
  },
  reachedBy: ['address'],
  check: (targets) => [...targets.flatMap(checkSecrets), ...checkHosts(targets)],
};

function checkSecrets({ name, settings, secrets }: WrittenTarget): TargetProblem[] {
  const problems: TargetProblem[] = [];
  const find = (key: string, message: string): void => void problems.push({ target: name, key, message });
  if (secrets.includes('header') && settings['header_name'] === undefined) {
    find('header', 'needs `header_name`, the header field that carries it');
  }
  if (!secrets.includes('header') && settings['header_name'] !== undefined) {
    find('header_name', 'is the field of the secret `header`, which the target does not have');
  }
  for (const [one, other] of [
    ['client_certificate', 'client_key'],
    ['client_key', 'client_certificate'],
  ] as const) {
    if (secrets.includes(one) && !secrets.includes(other)) find(one, `is of no use without \`${other}\``);
  }
  if (secrets.includes('bearer') && secrets.includes('password')) {
    find('bearer', 'can’t be sent together with `password`: both are `Authorization`');
  }
  if (settings['identify'] === 'sluice-authorization' && (secrets.includes('bearer') || secrets.includes('password'))) {
    find('identify', 'leaves `Authorization` to clients, but the target’s own secret would be sent in it');
  }
  return problems;
}

/** Two targets of one name would be taken for one another. */
function checkHosts(targets: readonly WrittenTarget[]): TargetProblem[] {
  const taken = new Map<string, string>();
  for (const { name } of targets) taken.set(name.toLowerCase(), name);
  return targets.flatMap(({ name, settings }) =>
    textsOf(settings, 'hosts').flatMap((host) => {
      const other = taken.get(host.toLowerCase());
      taken.set(host.toLowerCase(), name);
      if (other === undefined || other === name) return [];
      return [{ target: name, key: 'hosts', message: `"${host}" already leads to the target "${other}"` }];
    }),
  );
}

export interface HttpTarget {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly host: string | undefined;
  readonly basePath: string;
  readonly identify: 'authorization' | 'sluice-authorization';
  readonly graphqlPaths: readonly string[];
  /** In lower case. */
  readonly requestHeaders: readonly string[];
  readonly joinRepeated: boolean;
  /** The field that carries the gateway's own secret, in lower case: never a client's. */
  readonly secretHeader: string | undefined;
}

export function httpTarget(name: string, settings: TargetSettings): HttpTarget {
  return {
    name,
    hosts: textsOf(settings, 'hosts'),
    host: textOf(settings, 'host'),
    basePath: textOf(settings, 'base_path') ?? '',
    identify: textOf(settings, 'identify') === 'sluice-authorization' ? 'sluice-authorization' : 'authorization',
    graphqlPaths: textsOf(settings, 'graphql_paths'),
    requestHeaders: textsOf(settings, 'request_headers').map((header) => header.toLowerCase()),
    joinRepeated: textOf(settings, 'repeated_parameters') === 'join',
    secretHeader: textOf(settings, 'header_name')?.toLowerCase(),
  };
}

function textOf(settings: TargetSettings, key: string): string | undefined {
  const value = settings[key];
  return typeof value === 'string' ? value : undefined;
}

function textsOf(settings: TargetSettings, key: string): readonly string[] {
  const value = settings[key];
  return typeof value === 'object' ? value : [];
}
