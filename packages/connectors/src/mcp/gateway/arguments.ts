import { CoreError } from '@sluice/core/domain/error.ts';
import type { Json } from '@sluice/core/domain/json.ts';

/** What policy can ask about arguments, by JSON pointer (RFC 6901) from their root. */
export interface ArgumentMaps {
  readonly texts: ReadonlyMap<string, string>;
  readonly numbers: ReadonlyMap<string, number>;
}

const halfPair = /\p{Cs}/u;

export const argumentBounds = { entries: 2_000, pointer: 1_000, value: 60_000, characters: 500_000 };

/**
 * Every value of the arguments under its pointer: texts as they are, other scalars in JSON's words, `[]` and `{}` for
 * lists and objects. Throws
 * `client_protocol` for arguments that are too many to be decided about, or hold text that is not well-formed Unicode.
 */
export function argumentMaps(value: Json): ArgumentMaps {
  const texts = new Map<string, string>();
  const numbers = new Map<string, number>();
  let characters = 0;
  const keep = (pointer: string, text: string): void => {
    characters += pointer.length + text.length;
    texts.set(pointer, text);
    if (
      text.length > argumentBounds.value ||
      texts.size > argumentBounds.entries ||
      characters > argumentBounds.characters
    ) {
      tooMuch();
    }
  };
  const visit = (at: Json, pointer: string): void => {
    if (pointer.length > argumentBounds.pointer) tooMuch();
    // Without an entry of its own, `{"force":[true]}` would pass a policy that forbids `/force`.
    if (pointer !== '' && typeof at === 'object' && at !== null) keep(pointer, Array.isArray(at) ? '[]' : '{}');
    if (Array.isArray(at)) {
      for (const [index, each] of (at as readonly Json[]).entries()) visit(each, `${pointer}/${index}`);
    } else if (typeof at === 'object' && at !== null) {
      for (const [name, each] of Object.entries(at)) {
        if (halfPair.test(name)) notUnicode();
        visit(each, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
      }
    } else {
      const text = typeof at === 'string' ? at : JSON.stringify(at);
      if (halfPair.test(text)) notUnicode();
      keep(pointer, text);
      if (typeof at === 'number' && Number.isSafeInteger(at)) numbers.set(pointer, at);
    }
  };
  visit(value, '');
  return { texts, numbers };
}

function tooMuch(): never {
  throw new CoreError(
    'client_protocol',
    'client',
    'The arguments are more than can be decided about: send less at once.',
  );
}

function notUnicode(): never {
  throw new CoreError('client_protocol', 'client', 'The arguments hold text that is not well-formed Unicode.');
}
