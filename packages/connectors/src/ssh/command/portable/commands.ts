import { CommandError } from '../error.ts';
import { noReasons, plainWord, type Redirection, reasonsOf, type Simple, simple, type Word } from '../tree.ts';
import { Cursor } from './cursor.ts';
import { WordReader } from './word.ts';

/** Most simple commands in one text. */
const mostCommands = 300;

/** Words that some shell takes for its own where a command begins, but not all in the same way (or not at all). */
const disputed = new Set(
  (
    '[[ ]] function select coproc time foreach repeat end begin and or not switch namespace nocorrect noglob - always ' +
    'declare typeset local integer float then elif else fi do done esac in'
  ).split(' '),
);

const bare = /[^\s;&|<>()\\'"$`]+/y;
const assignment = /([A-Za-z_]\w*)=/y;
const otherAssignment = /[A-Za-z_]\w*(?:\+=|\[[^\]\s]*\]\+?=)/y;
const delimiter = /(?:'([A-Za-z_]\w*)'|"([A-Za-z_]\w*)"|([A-Za-z_]\w*))(?=[\s;&|<>)]|$)/y;

/** Throws `NotPortable` for what shells do not all read alike, and `CommandError` for what is too large. */
export function readPortable(text: string): readonly Simple[] {
  const cursor = new Cursor(text);
  const commands = list(cursor);
  if (!cursor.done || cursor.awaitsDocument) cursor.decline('something behind the end');
  return commands;
}

/** Commands up to something that ends a list: `)`, a keyword, the end of the text. */
function list(c: Cursor, stop: readonly string[] = []): readonly Simple[] {
  const commands: Simple[] = [];
  for (;;) {
    c.skipNewlines();
    if (c.done || c.peek() === ')' || c.looksAt(';;') || atKeyword(c, stop)) return commands;
    const part = andOr(c);
    c.skipBlanks();
    const background = c.peek() === '&';
    for (const each of part) commands.push(background ? { ...each, background } : each);
    if (commands.length > mostCommands) throw tooMany();
    if (c.looksAt(';;')) return commands;
    if (background || c.peek() === ';') {
      // bash, zsh and ksh give these a meaning of their own.
      if (/[|!>&]/.test(c.peek(1))) c.decline('an operator');
      c.at++;
    } else if (c.peek() !== '\n') {
      if (!c.done && c.peek() !== ')') c.decline('something unexpected');
    }
  }
}

function andOr(c: Cursor): readonly Simple[] {
  const commands = [...pipeline(c)];
  for (;;) {
    c.skipBlanks();
    if (!c.take('&&') && !c.take('||')) return commands;
    c.skipNewlines();
    for (const command of pipeline(c)) commands.push(command);
  }
}

function pipeline(c: Cursor): readonly Simple[] {
  c.skipBlanks();
  if (atKeyword(c, ['!'])) {
    c.at++;
    c.skipBlanks();
    if (atKeyword(c, ['!'])) c.decline('a negation of a negation');
  }
  const commands = [...command(c)];
  let several = false;
  for (;;) {
    c.skipBlanks();
    if (c.peek() !== '|' || c.peek(1) === '|') break;
    if (c.peek(1) === '&') c.decline('|&');
    several = true;
    c.at++;
    c.skipNewlines();
    for (const each of command(c)) commands.push(each);
  }
  return several ? commands.map((each) => ({ ...each, pipeline: true })) : commands;
}

function command(c: Cursor): readonly Simple[] {
  return c.nested(() => {
    if (c.peek() === '(') {
      if (c.peek(1) === '(') c.decline('arithmetic');
      c.at++;
      const inside = nonEmpty(c, list(c));
      c.expect(')');
      return [...inside, ...redirected(c)];
    }
    const word = keyword(c);
    if (word === undefined) return [simpleCommand(c)];
    if (disputed.has(word) || word.startsWith('{}') || word === '}') c.decline(word);
    switch (word) {
      case '{':
        return compound(c, [['{', ['}']]], '}');
      case 'if':
        return ifCommand(c);
      case 'while':
      case 'until':
        return compound(
          c,
          [
            [word, ['do']],
            ['do', ['done']],
          ],
          'done',
        );
      case 'for':
        return forCommand(c);
      case 'case':
        return caseCommand(c);
      case '!':
        return c.decline('a negation in a pipeline');
      default:
        return [simpleCommand(c)];
    }
  });
}

/** A keyword, a list, the next keyword …, and the redirections behind the last one. */
function compound(c: Cursor, parts: readonly [string, readonly string[]][], last: string): readonly Simple[] {
  const commands: Simple[] = [];
  for (const [word, stop] of parts) {
    takeKeyword(c, word);
    for (const each of nonEmpty(c, list(c, stop))) commands.push(each);
  }
  takeKeyword(c, last);
  return [...commands, ...redirected(c)];
}

function ifCommand(c: Cursor): readonly Simple[] {
  const commands: Simple[] = [];
  const part = (word: string, stop: readonly string[]) => {
    takeKeyword(c, word);
    for (const each of nonEmpty(c, list(c, stop))) commands.push(each);
  };
  part('if', ['then']);
  part('then', ['elif', 'else', 'fi']);
  while (atKeyword(c, ['elif'])) {
    part('elif', ['then']);
    part('then', ['elif', 'else', 'fi']);
  }
  if (atKeyword(c, ['else'])) part('else', ['fi']);
  takeKeyword(c, 'fi');
  return [...commands, ...redirected(c)];
}

function forCommand(c: Cursor): readonly Simple[] {
  takeKeyword(c, 'for');
  c.skipBlanks();
  const name = c.match(/[A-Za-z_]\w*(?=[\s;])/y) ?? c.decline('a name');
  c.at += name[0].length;
  c.skipNewlines();
  const words: Word[] = [];
  if (atKeyword(c, ['in'])) {
    takeKeyword(c, 'in');
    for (c.skipBlanks(); !/[;\n]/.test(c.peek()) && !c.done; c.skipBlanks()) words.push(word(c));
  }
  if (c.peek() === ';') c.at++;
  c.skipNewlines();
  const body = compound(c, [['do', ['done']]], 'done');
  return [
    simple({ assignments: [{ name: name[0], value: plainWord('') }] }),
    simple({ inputs: words, reasons: reasonsOf(words.some(({ reasons }) => reasons.size > 0) ? ['variable'] : []) }),
    ...body,
  ];
}

function caseCommand(c: Cursor): readonly Simple[] {
  if (c.substituted > 0) c.decline('case in a substitution');
  takeKeyword(c, 'case');
  c.skipBlanks();
  const words: Word[] = [word(c)];
  const commands: Simple[] = [];
  c.skipNewlines();
  takeKeyword(c, 'in');
  for (c.skipNewlines(); !atKeyword(c, ['esac']); c.skipNewlines()) {
    c.skipBlanks();
    c.take('(');
    do {
      c.skipBlanks();
      words.push(word(c));
      c.skipBlanks();
    } while (c.take('|'));
    c.expect(')');
    for (const each of list(c, ['esac'])) commands.push(each);
    c.skipBlanks();
    if (!c.take(';;')) break;
    if (c.peek() === '&') c.decline(';;&');
  }
  takeKeyword(c, 'esac');
  return [simple({ inputs: words }), ...commands, ...redirected(c)];
}

function simpleCommand(c: Cursor): Simple {
  const assignments: { name: string; value: Word }[] = [];
  const words: Word[] = [];
  const redirections: Redirection[] = [];
  const inputs: Word[] = [];
  for (;;) {
    c.skipBlanks();
    const next = c.peek();
    if (redirection(c, redirections, inputs)) continue;
    if (/[\n;&|)]/.test(next) || next === '') break;
    if (next === '(') c.decline('a parenthesis');
    if (words.length === 0) {
      if (c.match(otherAssignment)) c.decline('an assignment');
      const assigned = c.match(assignment);
      if (assigned) {
        c.at += assigned[0].length;
        assignments.push({ name: assigned[1] ?? '', value: word(c, true) });
        continue;
      }
    }
    const raw = keyword(c);
    if (raw === '{' || raw === '}' || (raw?.startsWith('{}') && words.length === 0)) c.decline('a brace');
    words.push(word(c));
  }
  if (assignments.length + words.length + redirections.length + inputs.length === 0) c.decline('no command');
  return simple({ assignments, words, redirections, inputs });
}

/** Redirections behind a compound command. */
function redirected(c: Cursor): readonly Simple[] {
  const redirections: Redirection[] = [];
  const inputs: Word[] = [];
  for (;;) {
    c.skipBlanks();
    if (!redirection(c, redirections, inputs)) break;
  }
  if (!/[\n;&|)]/.test(c.peek()) && !c.done) c.decline('something behind a compound command');
  return redirections.length + inputs.length > 0 ? [simple({ redirections, inputs })] : [];
}

/** XCU 2.7. Takes one redirection, if there is one. */
function redirection(c: Cursor, redirections: Redirection[], inputs: Word[]): boolean {
  const found = c.match(/(\d*)(<<-|<<|<>|<&|>&|>>|>\||<|>)/y);
  if (!found) {
    if (c.looksAt('&>')) c.decline('&>');
    return false;
  }
  const [all, descriptor = '', operator = ''] = found;
  if (descriptor.length > 1) c.decline('a file descriptor of several digits');
  // fish pipes there, and zsh and others have it with a meaning of their own.
  if (operator === '>|') c.decline('>|');
  c.at += all.length;
  // <<<, <(, >(, >!, >&!, <1-9> belong to some shells only.
  if (/[<>(&|!]/.test(c.peek()) || (operator === '<' && c.match(/\d*-\d*>/y))) c.decline('a redirection');
  c.skipBlanks();
  if (/[!<>(&|]/.test(c.peek())) c.decline('a redirection');
  if (operator === '<<' || operator === '<<-') {
    document(c, operator === '<<-', inputs);
    return true;
  }
  if (operator === '<&' || operator === '>&') {
    const target = c.match(/(?:\d|-)(?=[\s;&|<>)]|$)/y) ?? c.decline('a file descriptor');
    c.at += target[0].length;
    return true;
  }
  const target = word(c);
  redirections.push({ direction: operator === '<' ? 'read' : operator === '<>' ? 'both' : 'write', target });
  return true;
}

/** XCU 2.7.4. The body comes behind the next newline. */
function document(c: Cursor, stripTabs: boolean, inputs: Word[]): void {
  if (c.substituted > 0) c.decline('a here-document in a substitution');
  const found = c.match(delimiter) ?? c.decline('the delimiter of a here-document');
  c.at += found[0].length;
  const quoted = found[3] === undefined;
  const depth = c.depth;
  c.awaitDocument({
    delimiter: found[1] ?? found[2] ?? found[3] ?? '',
    stripTabs,
    body: (text) => {
      const raw = text.replace(/\n?$/, '\n');
      if (quoted) inputs.push({ raw, value: raw, reasons: noReasons, expanded: false, quoted: true, inner: [] });
      else inputs.push(new WordReader(new Cursor(raw, 1, depth + 1), list).readDocument());
    },
  });
}

function word(c: Cursor, assigned = false): Word {
  return new WordReader(c, list).read(assigned);
}

/** The bare word at the cursor, if it ends where a word ends. */
function keyword(c: Cursor): string | undefined {
  const found = c.match(bare);
  if (!found) return undefined;
  return /[\s;&|<>()]|^$/.test(c.text.charAt(c.at + found[0].length)) ? found[0] : undefined;
}

function atKeyword(c: Cursor, words: readonly string[]): boolean {
  c.skipBlanks();
  const found = keyword(c);
  return found !== undefined && words.includes(found);
}

function takeKeyword(c: Cursor, expected: string): void {
  if (!atKeyword(c, [expected])) c.decline(`no ${expected}`);
  c.at += expected.length;
}

function nonEmpty(c: Cursor, commands: readonly Simple[]): readonly Simple[] {
  return commands.length > 0 ? commands : c.decline('no command');
}

function tooMany(): CommandError {
  return new CommandError(
    'too_large',
    `The command line has more than ${mostCommands} commands.`,
    'Put them into a script on the target, or send them in parts.',
  );
}
