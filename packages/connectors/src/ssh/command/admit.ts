import { CommandError } from './error.ts';

/** Longest command line that is read, in UTF-16 units; OpenSSH's own packets end at 256 KiB. */
export const longestText = 65_536;

/**
 * Controls other than tab and newline, what is invisible or turns the direction of text, blanks that are not the
 * shell's, and what a decoder leaves of bytes that were not UTF-8: with any of it, people and shells read different
 * things.
 */
const misleading =
  /[^\P{Cc}\t\n]|[^\P{Zs} ]|[\p{Cf}\p{Cn}\p{Co}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0\ufffd]|\u034f|[\u17b4-\u17b5]|[\u180b-\u180f]/u;

/** Variables that say in which encoding the shell reads. */
const localeVariables = /^(?:LANG|LC_ALL|LC_CTYPE)$/;
const readableLocale = /^(?:|C|POSIX|[\w@]+\.utf-?8(?:@\w+)?|C\.utf-?8)$/i;

/** Whether shells read text in UTF-8 or plain ASCII when the variable has this value. */
export function keepsEncoding(name: string, value: string): boolean {
  return !localeVariables.test(name) || readableLocale.test(value);
}

/** Before any grammar: what has no single reading for people, shells and the gateway is refused. */
export function admit(text: string, environment: ReadonlyMap<string, string>): void {
  if (text.length > longestText) {
    throw new CommandError(
      'too_large',
      `The command line is longer than ${longestText} characters.`,
      'Send what is long as a file, or on standard input.',
    );
  }
  const found = misleading.exec(text)?.[0];
  if (found !== undefined) {
    const code = (found.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
    throw new CommandError(
      'encoding',
      `The command line has the character U+${code}, which people and shells do not read alike.`,
      'Write it as an escape for the program that needs it (printf), or leave it out.',
    );
  }
  // sshd runs the login shell with -c and this text: an option in its place is read by the shell itself.
  if (/^[-+]/.test(text)) {
    throw new CommandError(
      'syntax',
      'The command line begins like an option of the shell.',
      'Begin it with the name of a program.',
    );
  }
  if (/^[\s]*$/.test(text)) {
    throw new CommandError('empty', 'The command line is empty.', 'Name a program, or open a shell.');
  }
  // In encodings such as Shift JIS or GBK, a backslash or a quote can be the second half of a character.
  if (/[^\t\n\x20-\x7e]/.test(text)) {
    for (const [name, value] of environment) {
      if (!keepsEncoding(name, value)) {
        throw new CommandError(
          'encoding',
          `The command line is not plain ASCII, and ${name} asks for an encoding that is not UTF-8.`,
          `Set ${name} to a UTF-8 locale, or do not send it.`,
        );
      }
    }
  }
}
