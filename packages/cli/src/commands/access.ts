import type { IssuedAccessCredential } from '@sluice/api/schema/access-credential.ts';
import type { Target } from '@sluice/api/schema/gateway.ts';
import type { Command } from 'commander';
import { type AccessFiles, accessFolder, keyComment, prepareFolder, writeAccessFiles } from '../access/access-files.ts';
import { knownHosts, loginCommand, type Place, placeOf } from '../access/login-command.ts';
import { newKeyPair } from '../access/openssh-key.ts';
import { CliError } from '../cli-error.ts';
import type { Context, Runner } from '../context.ts';
import { fields } from '../terminal/table.ts';
import { span } from '../terminal/time.ts';
import { visible } from '../terminal/visible.ts';
import { duration, whole } from './arguments.ts';

interface Options {
  readonly ttl?: string;
  readonly uses?: number;
  readonly out?: string;
  readonly password?: boolean;
}

export function registerAccess(program: Command, runner: Runner): void {
  program
    .command('access')
    .argument('<target>', 'name of the target')
    .description(
      'get short-lived access to a target: a key with a certificate where its clients can use one, else a user name and a password',
    )
    .option('--ttl <duration>', 'how long it is good for, like 90s, 15m, 8h (default: set by the gateway)', duration)
    .option('--uses <n>', 'how many logins it is good for (default: any number)', whole(1, 1_000_000))
    .option('--password', 'a user name and a password in any case')
    .option('--out <folder>', 'where key and certificate go (default: ~/.sluice/access/<target>)')
    .addHelpText(
      'after',
      '\nExamples:\n  $ sluice access shop\n  $ sluice access shop --ttl 5m --uses 1 --json\n  $ sluice access build-host --out ./keys',
    )
    .action(
      runner.action<Options>(async (context, [name = ''], options) => {
        const { password, out } = options;
        const target = password ? undefined : await certifiable(context, name, out);
        if (target) await withCertificate(context, target, options);
        else await withPassword(context, name, options);
        return undefined;
      }),
    );
}

type Certifiable = Target & { readonly place: Place };

/** The target when its clients can use a certificate. What may not be reached is left for the gateway to refuse. */
async function certifiable(
  { client, api }: Context,
  name: string,
  out: string | undefined,
): Promise<Certifiable | undefined> {
  const { items } = await client().targets();
  const target = items.find((each) => each.name === name);
  const place = target && placeOf(target, api());
  if (target?.accepts.includes('certificate') && place) return { ...target, place };
  if (out === undefined || !target) return undefined;
  throw new CliError('usage', `Clients of ${name} log in with a user name and a password: there is nothing to write.`, {
    hint: 'Leave --out away.',
  });
}

async function withPassword({ client, output }: Context, target: string, options: Options): Promise<void> {
  const issued = await client().issueAccessCredential({ target, ...terms(options) });
  output.answer(issued, () =>
    fields(
      [
        ['user', visible(issued.id)],
        ['password', visible(issued.secret)],
        ['target', visible(issued.target)],
        ['expires', expiry(issued)],
      ],
      output.paint.dim,
    ),
  );
  output.note('The password is shown this once. Give it to any client of the target, with the user name above.');
}

async function withCertificate({ client, output }: Context, target: Certifiable, options: Options): Promise<void> {
  const { name, place } = target;
  const folder = accessFolder(name, options.out);
  await prepareFolder(folder, name);
  const pair = newKeyPair(keyComment(name));
  const publicKey = pair.publicKey.trim();
  const issued = await client().issueAccessCredential({ target: name, public_key: publicKey, ...terms(options) });
  const files = await write(issued).catch(async (error: unknown) => {
    // What nobody can use is not left to lie about until it expires; when that fails too, it does expire.
    await client()
      .revokeAccessCredential(issued.id)
      .catch(() => undefined);
    throw error;
  });
  const command = loginCommand(name, place, files);
  output.answer({ ...issued, files, command }, () => [...summary(issued, files), '', visible(command)]);
  output.note('The key stays on this machine, and the gateway can take the certificate back at any time.');

  async function write(given: IssuedAccessCredential): Promise<AccessFiles> {
    const keys = (given.gateway_keys ?? []).map(line);
    const content = { pair, certificate: line(given.certificate), knownHosts: knownHosts(place, keys) };
    return writeAccessFiles(folder, content);
  }

  function summary(given: IssuedAccessCredential, written: AccessFiles): readonly string[] {
    return fields(
      [
        ['target', visible(given.target)],
        ['credential', visible(given.id)],
        ['key', visible(written.key)],
        ['certificate', visible(written.certificate)],
        ['expires', expiry(given)],
      ],
      output.paint.dim,
    );
  }
}

function terms({ ttl, uses }: Options): { ttl?: string; uses?: number } {
  return { ...(ttl === undefined ? {} : { ttl }), ...(uses === undefined ? {} : { uses }) };
}

function expiry({ expires_at }: IssuedAccessCredential): string {
  return `${visible(expires_at)} (in ${span(Date.parse(expires_at) - Date.now())})`;
}

/** A second line would be a second entry of the file it goes into. */
function line(text: string | undefined): string {
  if (text !== undefined && /^[\x20-\x7e]+$/.test(text)) return text;
  throw new CliError('failed', 'The gateway answered with something that is no certificate.');
}
