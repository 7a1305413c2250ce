/**
 * The one description of sluice.yaml. Types, the JSON Schema for editors and the reference page all come from it. It
 * judges the shape of each value; what needs a second look (files, references, other sections) is in checks.ts. No
 * protocol is named here: the composition root says which connectors exist and which settings their targets take.
 */
import { detectedLabels } from '@sluice/core/masking/detect-scan.ts';
import { z } from 'zod';
import { count, duration, line, listenAddress, path, size } from './scalars.ts';
import { identitySection } from './schema-identity.ts';
import { type KnownConnector, targetsSection } from './schema-targets.ts';

const strategy = z
  // What a person writes as null is nothing at all to YAML.
  .union([z.enum(['redact', 'partial', 'null', 'hash', 'token']), z.null()])
  .transform((value) => value ?? 'null');

function listenSection(connectors: readonly KnownConnector[]) {
  const protocols = Object.fromEntries(
    connectors.map(({ id }) => [
      id,
      listenAddress()
        .optional()
        .describe(`Where clients of \`${id}\` targets connect, host:port; port 0 takes any free one.`),
    ]),
  );
  return z
    .strictObject({
      api: listenAddress().describe('Where the HTTP API listens, host:port; port 0 takes any free one.'),
      metrics: listenAddress()
        .optional()
        .describe('Where Prometheus may read `/metrics`. Absent: no metrics listener. Keep it off public interfaces.'),
      ...protocols,
    })
    .describe('Where the gateway listens. One key per connector, beside `api` and `metrics`.');
}

const tlsSection = z
  .strictObject({
    cert: path().describe('PEM file: the certificate, followed by its intermediates.'),
    key: path().describe('PEM file: the private key.'),
  })
  .describe('The gateway’s own certificate, for its listeners.');

const storeSection = z
  .string({ error: 'must be embedded, postgres://…, env:NAME or file:path' })
  .regex(/^(embedded$|postgres(ql)?:\/\/|env:[A-Za-z_][A-Za-z0-9_]*$|file:.+)/, {
    error: 'must be embedded, postgres://…, env:NAME or file:path',
  })
  .prefault('embedded')
  .describe(
    'Where access requests, access credentials and the index of sessions live: `embedded` (inside `data_dir`), or the URL of a database that several gateways share: `postgres://…`, better `env:NAME` or `file:path` holding it.',
  );

const maskingSection = z
  .strictObject({
    labels: z
      .record(
        line(128),
        z
          .array(line(1024), { error: 'must be a list of patterns' })
          .min(1, { error: 'must name at least one pattern' })
          .max(10_000),
        { error: 'must map labels to lists of patterns' },
      )
      .prefault({})
      .describe(
        'Label → the data that bears it, as `<target>.<schema>.<table>.<column>`, or as `<target>.` and the names of the members that lead to a value; `*` in any place, `**` for any number of names. A labelled value is masked unless policy permits `reveal` on the label.',
      ),
    detect: z
      .array(z.enum(detectedLabels as [string, ...string[]]), { error: 'must be a list of labels' })
      .max(100)
      .prefault([])
      .describe(
        `Labels whose values are found by their look in cells that bear no label, and masked unless policy permits \`reveal\`: ${detectedLabels.map((label) => `\`${label}\``).join(', ')}. Looking costs time for every text cell.`,
      ),
    detect_text: z
      .array(z.enum(detectedLabels as [string, ...string[]]), { error: 'must be a list of labels' })
      .max(100)
      .prefault([...detectedLabels])
      .describe(
        'Labels whose values are found by their look in what has no cells (the output of commands, bodies of responses, results of tools), and masked unless policy permits `reveal`. All that can be detected, unless some are named here.',
      ),
    strategies: z
      .record(line(128), strategy, { error: 'must map labels to strategies' })
      .prefault({})
      .describe(
        'Label → how its values are masked: `redact`, `partial` (the shape stays), `null`, `hash` (keyed), `token` (the same value gives the same token within a run).',
      ),
  })
  .prefault({})
  .describe('Which data is sensitive, and what is shown instead of it.');

const recordingSection = z
  .strictObject({
    durability: z
      .enum(['group', 'strict'])
      .prefault('group')
      .describe(
        '`group`: synced to the disk every `sync_interval`; `strict`: after every event. Both survive the death of the process.',
      ),
    sync_interval: duration({ min: '1ms', max: '10s' })
      .prefault('50ms')
      .describe('The longest a written event waits for the disk under `group`.'),
    cap_per_result: size({ min: '0B', max: '1GiB' })
      .prefault('1MiB')
      .describe('How much of one result is kept. Past it rows are counted and digested, and the recording says so.'),
  })
  .prefault({})
  .describe('How sessions are recorded. Recording can’t be switched off.');

const approvalsSection = z
  .strictObject({
    timeout: duration({ min: '1s', max: '30d' })
      .prefault('1h')
      .describe(
        'How long an access request waits for an answer before it expires, unless the policy says (`@timeout`).',
      ),
    park: duration({ min: '0s', max: '1h' })
      .prefault('30s')
      .describe('How long a held client is kept waiting before it is told that the request is pending.'),
    grant_ttl: duration({ min: '1s', max: '7d' })
      .prefault('10m')
      .describe('How long an approval may be used, unless the policy says (`@grant_ttl`).'),
    max_pending: count(1, 10_000).prefault(50).describe('How many requests one principal may have waiting.'),
  })
  .prefault({})
  .describe('Defaults for actions that policy holds for consent.');

const accessCredentialsSection = z
  .strictObject({
    default_ttl: duration({ min: '1s', max: '7d' })
      .prefault('15m')
      .describe('How long one is good for when nobody asks otherwise.'),
    max_ttl: duration({ min: '1s', max: '7d' })
      .prefault('12h')
      .describe('The longest anybody may ask for. It never outlives the token it was issued for, whatever this says.'),
  })
  .prefault({})
  .describe('Short-lived user and secret pairs, for clients that can’t send a token.');

const limitsSection = z
  .strictObject({
    pre_auth_bytes: size({ min: '1KiB', max: '1MiB' })
      .prefault('64KiB')
      .describe('What a client may send before it is known who it is.'),
    pre_auth_time: duration({ min: '1s', max: '5m' })
      .prefault('15s')
      .describe('How long a client may take to say who it is.'),
    message_bytes: size({ min: '64KiB', max: '1GiB' })
      .prefault('64MiB')
      .describe('The largest message a client may send.'),
    statement_bytes: size({ min: '1KiB', max: '256KiB' })
      .prefault('256KiB')
      .describe('The largest statement that is understood; a larger one is refused.'),
  })
  .prefault({})
  .describe('Bounds for every session.');

/** The schema for a gateway that ships these connectors. Throws when their ids or settings collide with generic keys. */
export function buildSchema(connectors: readonly KnownConnector[]) {
  const reserved = connectors.find(({ id }) => id === 'api' || id === 'metrics');
  if (reserved) throw new Error(`a connector may not be called ${reserved.id}: listen.${reserved.id} is taken`);
  return z.strictObject(
    {
      listen: listenSection(connectors),
      tls: tlsSection.optional(),
      data_dir: path()
        .prefault('.sluice')
        .describe('Where recordings, keys and the embedded store live. One gateway at a time.'),
      store: storeSection,
      identity: identitySection,
      access_credentials: accessCredentialsSection,
      targets: targetsSection(connectors),
      policies: z
        .array(line(4096), { error: 'must be a list of globs' })
        .max(1000)
        .prefault(['policies/*.cedar'])
        .describe('Globs for policy files, relative to this file. No policy permits nothing.'),
      masking: maskingSection,
      recording: recordingSection,
      approvals: approvalsSection,
      limits: limitsSection,
      workers: count(1, 64)
        .prefault(1)
        .describe(
          'How many processes serve connections. 1 is the gateway’s own process; with more, that process accepts connections and hands them to so many workers.',
        ),
    },
    { error: (issue) => (issue.code === 'invalid_type' ? 'the file must hold a mapping of keys' : undefined) },
  );
}

export type ConfigSchema = ReturnType<typeof buildSchema>;
export type ConfigDocument = z.output<ConfigSchema>;
