import type { TargetForm } from '@sluice/core/contract/upstream.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkConfig, loadConfig } from './load.ts';
import { formatProblem } from './problem.ts';
import { renderKeys } from './reference-page.ts';
import { buildSchema } from './schema.ts';
import { type ConfigFolder, identity, makeConfigFolder, options } from './testing/config-folder.ts';

/** One that has everything a form can have. */
const kite: TargetForm = {
  settings: [
    {
      key: 'strings',
      form: 'list',
      required: true,
      longest: 8,
      problem: (value) => (value.startsWith('s') ? undefined : 'must begin with s'),
      doc: 'What holds it.',
    },
    { key: 'colour', form: 'text', values: ['red', 'blue'], doc: 'Its colour.' },
    { key: 'tail', form: 'text', doc: 'Needs the secret knot.' },
  ],
  credential: {
    username: 'optional',
    secrets: [
      { key: 'knot', doc: 'How it is tied.' },
      { key: 'wind', doc: 'Where it comes from.' },
    ],
  },
  reachedBy: ['address', 'command'],
  encrypted: true,
  check: (targets) =>
    targets.flatMap(({ name, settings, secrets, reachedBy }) => [
      ...(settings['tail'] !== undefined && !secrets.includes('knot')
        ? [{ target: name, key: 'knot', message: 'is missing, and tail needs it' }]
        : []),
      ...(reachedBy === 'command' && settings['colour'] !== undefined
        ? [{ target: name, key: 'colour', message: 'means nothing to a command' }]
        : []),
      ...(targets.some((other) => other.name < name && other.settings['tail'] === settings['tail'])
        ? [{ target: name, message: 'flies like another' }]
        : []),
    ]),
};
const bird: TargetForm = {
  settings: [],
  credential: { username: 'none', secrets: [] },
  reachedBy: ['command'],
};
const connectors = [
  { id: 'kite', targets: kite },
  { id: 'bird', targets: bird },
];
const using = { ...options, connectors };
const head = `listen: {api: 127.0.0.1:0, kite: 127.0.0.1:0, bird: 127.0.0.1:0}\n${identity}targets:\n`;
const good =
  '  - {name: k, connector: kite, address: far.example:1, strings: [s1], tail: long, credential: {knot: env:SHOP_PASSWORD}}\n';

let folder: ConfigFolder;
beforeAll(() => {
  folder = makeConfigFolder();
});
afterAll(() => folder.remove());

function problems(targets: string): string[] {
  const file = folder.write(head + targets);
  return checkConfig(file, using).map((problem) => formatProblem(problem).replace(`${file}:`, ''));
}

test('what a connector declares about its targets is what it is given', () => {
  const command =
    '  - {name: c, connector: kite, command: [fly, -v], strings: [s1, s2], colour: red, credential: {username: u}}\n';
  const { config } = {
    config: loadConfig(folder.write(`${head}${good}${command.replace(', colour: red', '')}`), using),
  };
  expect(config.targets).toEqual([
    {
      name: 'k',
      connector: 'kite',
      tags: [],
      address: { host: 'far.example', port: 1 },
      tls: { mode: 'disable' },
      credential: { username: '', secrets: { knot: { kind: 'env', name: 'SHOP_PASSWORD' } } },
      settings: { strings: ['s1'], tail: 'long' },
    },
    {
      name: 'c',
      connector: 'kite',
      tags: [],
      command: ['fly', '-v'],
      tls: { mode: 'disable' },
      credential: { username: 'u', secrets: {} },
      settings: { strings: ['s1', 's2'] },
    },
  ]);
  expect(problems(command)).toEqual(['7:79: error: targets[0].colour: means nothing to a command']);
});

test.each<[string, string, string[]]>([
  ['a setting left out', good.replace('strings: [s1], ', ''), ['7:5: error: targets[0].strings: is missing']],
  ['a text for a list', good.replace('[s1]', 's1'), ['7:65: error: targets[0].strings: must be a list, but is a text']],
  [
    'an entry that can’t be',
    good.replace('[s1]', '[s1, x]'),
    ['7:70: error: targets[0].strings[1]: must begin with s'],
  ],
  [
    'an entry too long',
    good.replace('[s1]', '[s1, s12345678]'),
    ['7:70: error: targets[0].strings[1]: must be at most 8 characters'],
  ],
  [
    'a value of no choice',
    good.replace('tail: long', 'colour: rod'),
    ['7:79: error: targets[0].colour: must be one of red, blue (did you mean red?)'],
  ],
  [
    'encryption that is not TLS’s',
    good.replace('tail:', 'tls: disable, tail:'),
    [
      '7:71: error: targets[0].tls: unknown key; known here: address, colour, command, connector, credential, name, strings, tags, tail',
    ],
  ],
  [
    'two ways to be reached',
    good.replace('tail:', 'command: [x], tail:'),
    ['7:5: error: targets[0]: has an address and a command: only one can be'],
  ],
  [
    'no way to be reached',
    good.replace('address: far.example:1, ', ''),
    ['7:5: error: targets[0]: needs an address or a command'],
  ],
  [
    'a command of nothing',
    good.replace('address: far.example:1', 'command: []'),
    ['7:41: error: targets[0].command: must name a program'],
  ],
  [
    'a command in one text',
    good.replace('address: far.example:1', 'command: fly -v'),
    ['7:41: error: targets[0].command: must be a list: the program, then its arguments, but is a text'],
  ],
  [
    'an unknown secret',
    good.replace('knot:', 'not:'),
    ['7:96: error: targets[0].credential.not: unknown key (did you mean knot?)'],
  ],
  [
    'a secret that is none',
    good.replace('env:SHOP_PASSWORD', 'hunter2'),
    [
      '7:102: error: targets[0].credential.knot: must be a reference to a secret, env:NAME or file:path; secrets do not belong into this file',
    ],
  ],
  [
    'a secret that is not there',
    good.replace('env:SHOP_PASSWORD', 'env:NOWHERE'),
    ['7:102: error: targets[0].credential.knot: the environment variable NOWHERE is not set'],
  ],
  [
    'a secret that another setting needs',
    good.replace('knot:', 'wind:'),
    ['7:83: error: targets[0].credential.knot: is missing, and tail needs it'],
  ],
  [
    'a target too like another',
    `${good}${good.replace('name: k', 'name: l')}`,
    ['8:5: error: targets[1]: flies like another'],
  ],
  [
    'a user name for nobody',
    '  - {name: b, connector: bird, command: [x], credential: {username: u}}\n',
    ['7:59: error: targets[0].credential.username: unknown key; none is known here'],
  ],
  [
    'an address for a program',
    '  - {name: b, connector: bird, address: far.example:1}\n',
    [
      '7:5: error: targets[0].command: is missing',
      '7:32: error: targets[0].address: unknown key; known here: command, connector, credential, name, tags, tls',
    ],
  ],
])('%s is pointed at', (_, targets, expected) => {
  expect(problems(targets)).toEqual(expected);
});

describe('declaring', () => {
  test.each(['name', 'tls', 'address', 'command', 'tags', 'credential', 'connector'])(
    '%s as a setting is a mistake of the connector',
    (key) => {
      const settings = [{ key, form: 'text' as const, doc: '' }];
      expect(() => buildSchema([{ id: 'x', targets: { ...bird, settings } }])).toThrow(
        `declares the target setting ${key}`,
      );
    },
  );
});

test('the reference page says what all targets have, and then what each connector’s have', () => {
  const page = renderKeys(connectors);
  const [, shared = '', ofKite = '', ofBird = ''] = page.slice(page.indexOf('### `targets`')).split(/^####? .*$/m);
  expect(page).toContain('#### targets with `connector: kite`');
  expect(shared).toContain('| `targets[].connector` | `kite`, or `bird` | required |');
  expect(shared).toContain('`targets[].name`');
  expect(shared).not.toContain('strings');
  expect(ofKite).toContain('| `targets[].strings` | list of text | required | What holds it. |');
  expect(ofKite).toContain('| `targets[].colour` | `red`, `blue` |  | Its colour. |');
  expect(ofKite).not.toContain('tls');
  expect(ofBird.split('\n### ')[0]).toMatch(/tls/);
  expect(ofBird.split('\n### ')[0]).toContain('| `targets[].command` | list of text | required |');
});
