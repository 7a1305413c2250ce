import type { LabelMap } from '@sluice/core/contract/labels.ts';
import { CoreError, SluiceError } from '@sluice/core/domain/error.ts';
import type { Unit } from '@sluice/core/domain/unit.ts';
import { understandRequest } from './request/understand.ts';
import type { HttpTarget } from './target-form.ts';

export interface InterpretGrounds {
  readonly labels: LabelMap;
  target(name: string): HttpTarget | undefined;
}

/**
 * What a text would mean if it were sent: `GET /path?query`, and behind an empty line (or at once) a JSON body. Rejects
 * with a CoreError.
 */
export async function interpretText(
  { labels, target: find }: InterpretGrounds,
  name: string,
  text: string,
): Promise<Unit> {
  const target = find(name);
  if (!target) throw new CoreError('unknown_target', 'client', `There is no target "${name}" on this gateway.`);
  const match = /^\s*([A-Za-z]+)[ \t]+(\/\S*)[ \t]*(?:\r?\n([\s\S]*))?$/.exec(text);
  if (!match) {
    throw new CoreError(
      'client_protocol',
      'client',
      'Write a method and a path, like "GET /v1/customers", and a JSON body below.',
    );
  }
  const [, method = '', path = '', below = ''] = match;
  const body = Buffer.from(below.trim());
  try {
    const { unit } = await understandRequest(target, labels.all(name), {
      method: method.toUpperCase(),
      path,
      headers: body.length > 0 ? [['content-type', 'application/json']] : [],
      hasBody: body.length > 0,
      body: pieces(body),
    });
    return unit;
  } catch (cause) {
    if (!(cause instanceof SluiceError)) throw cause;
    throw new CoreError('client_protocol', 'client', cause.publicMessage, { cause });
  }
}

async function* pieces(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  if (bytes.length > 0) yield bytes;
}
