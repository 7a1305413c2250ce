import type { TargetForm, TargetSetting } from '@sluice/core/contract/upstream.ts';
import { z } from 'zod';
import { dialAddress, line, name, path, reference } from './scalars.ts';

/** What the schema must know of a connector. */
export interface KnownConnector {
  /** Its id: a key under `listen`, and the value of a target's `connector`. */
  readonly id: string;
  readonly targets: TargetForm;
}

const tlsModes = ['disable', 'require', 'verify-ca', 'verify-full'] as const;

const targetTls = z
  .union([
    z.enum(tlsModes),
    z.strictObject({
      mode: z.enum(tlsModes).prefault('verify-full').describe('As the short form.'),
      ca: path().optional().describe('PEM file with the authorities to trust instead of the platform’s.'),
    }),
  ])
  .prefault('verify-full')
  .transform((tls) => (typeof tls === 'string' ? { mode: tls } : tls))
  .describe(
    'How the gateway secures its connection to the target: `disable`, `require` (encrypted, the server is not verified), `verify-ca`, `verify-full` (authority and host name), or `{mode, ca}`.',
  );

/** The `targets` list for the connectors that ship. Throws when a connector declares a key that every target has. */
export function targetsSection(connectors: readonly KnownConnector[]) {
  const [first, ...rest] = connectors.map(targetSection);
  if (!first) throw new Error('a gateway without any connector has nothing to configure');
  return z
    .array(z.discriminatedUnion('connector', [first, ...rest]), { error: 'must be a list of targets' })
    .max(10_000)
    .prefault([])
    .describe('What can be reached through the gateway.');
}

function targetSection({ id, targets }: KnownConnector) {
  const generic = {
    name: name().describe('What clients call the target, and what policies know it by.'),
    connector: z.literal(id).describe('The protocol it speaks.'),
    ...(targets.encrypted ? {} : { tls: targetTls }),
    credential: credentialSection(targets),
    tags: z
      .array(line(128))
      .max(64)
      .prefault([])
      .describe('Free texts like `env=prod`; policies group targets by them (`Tag::"env=prod"`).'),
  };
  const taken = targets.settings.find(
    ({ key }) => key in generic || key === 'tls' || key === 'address' || key === 'command',
  );
  if (taken) throw new Error(`connector ${id} declares the target setting ${taken.key}, which every target has`);
  const settings = Object.fromEntries(targets.settings.map((setting) => [setting.key, settingValue(setting)]));
  return z.strictObject({ ...generic, ...reach(targets), ...settings });
}

function credentialSection({ credential }: TargetForm) {
  const user = line(256).describe('The account the gateway logs in with.');
  const username =
    credential.username === 'none' ? {} : { username: credential.username === 'required' ? user : user.optional() };
  const section = z.strictObject({
    ...username,
    ...Object.fromEntries(
      credential.secrets.map(({ key, doc }) => [
        key,
        reference()
          .optional()
          .describe(`${doc} \`env:NAME\` or \`file:path\`; read again for each login, so that it may rotate.`),
      ]),
    ),
  });
  const doc = 'What the gateway logs in with. Clients never see it.';
  return credential.username === 'required' ? section.describe(doc) : section.prefault({}).describe(doc);
}

function reach({ reachedBy }: TargetForm) {
  const both = reachedBy.length > 1;
  const address = dialAddress();
  const command = z
    .array(line(4096), { error: 'must be a list: the program, then its arguments' })
    .min(1, { error: 'must name a program' })
    .max(100);
  const words = {
    address: `Where the target is, host:port.${both ? ' Either this or `command`.' : ''}`,
    command: `A program that is started for each session, with its arguments; it speaks on standard input and output, and its environment holds the secrets of \`credential\` in upper case and nothing else but \`PATH\`.${both ? ' Either this or `address`.' : ''}`,
  };
  const needed = {
    ...(reachedBy.includes('address') ? { address: address.describe(words.address) } : {}),
    ...(reachedBy.includes('command') ? { command: command.describe(words.command) } : {}),
  };
  if (!both) return needed;
  return {
    address: address.optional().describe(words.address),
    command: command.optional().describe(words.command),
  };
}

function settingValue(setting: TargetSetting) {
  const text = setting.values
    ? z.enum(setting.values as [string, ...string[]])
    : line(setting.longest ?? 256).superRefine((value, context) => {
        const problem = setting.problem?.(value);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      });
  const value = setting.form === 'list' ? z.array(text, { error: 'must be a list' }).max(100) : text;
  return setting.required ? value.describe(setting.doc) : value.optional().describe(setting.doc);
}
