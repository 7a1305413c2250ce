import {
  type Assignment as BashAssignment,
  type Redirection as BashRedirection,
  type Word as BashWord,
  type Command,
  forEachChild,
  type ParsedScript,
  parse,
  type SyntaxNode,
  type WordPart,
} from 'unbash';
import { CommandError } from './error.ts';
import { type Reason, type Redirection, reasonsOf, type Simple, simple, type Word } from './tree.ts';

/** Most commands, and deepest nesting, that are looked at. */
const mostCommands = 300;
const deepest = 200;

interface Place {
  readonly pipeline: boolean;
  readonly background: boolean;
  readonly depth: number;
}

/**
 * Reads a text as bash does, for what the strict reader declined. Whatever it finds counts as not known (`dialect`), so
 * a policy must permit that; the programs it names serve policies that forbid them, and people who are asked. Throws
 * `CommandError` for what is no shell text at all.
 */
export function readWide(text: string): readonly Simple[] {
  const commands: Simple[] = [];
  try {
    const script = parse(text);
    walk(script, { pipeline: false, background: false, depth: 0 }, commands);
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(
      'too_complex',
      'The command line cannot be read.',
      'Send it in parts, or put it into a script on the target.',
      error,
    );
  }
  return commands.map((command) => ({ ...command, reasons: reasonsOf(command.reasons, ['dialect']) }));
}

function walk(node: SyntaxNode, place: Place, commands: Simple[]): void {
  if (place.depth > deepest || commands.length > mostCommands) {
    throw new CommandError(
      'too_complex',
      'The command line has too many commands, or is nested too deep.',
      'Send it in parts, or put it into a script on the target.',
    );
  }
  const inside = { ...place, depth: place.depth + 1 };
  switch (node.type) {
    case 'Script':
      checkErrors(node);
      children(node, { pipeline: false, background: false, depth: inside.depth }, commands);
      break;
    case 'Statement':
      children(node, { ...inside, background: place.background || node.background === true }, commands);
      break;
    case 'Pipeline':
      children(node, { ...inside, pipeline: place.pipeline || node.commands.length > 1 }, commands);
      break;
    case 'Command':
      commands.push(commandOf(node, place));
      children(node, inside, commands);
      break;
    case 'Redirected':
      commands.push({ ...placed(place), ...redirectionsOf(node.redirects) });
      children(node, inside, commands);
      break;
    case 'Function':
      commands.push({ ...placed(place), reasons: new Set(['function']) });
      children(node, inside, commands);
      break;
    default:
      children(node, inside, commands);
  }
}

function children(node: SyntaxNode, place: Place, commands: Simple[]): void {
  forEachChild(node, (child) => walk(child, place, commands));
}

function checkErrors(script: ParsedScript): void {
  const [error] = script.errors ?? [];
  if (!error) return;
  throw new CommandError(
    'syntax',
    `The command line cannot be read: ${error.message}.`,
    'Check quotes, parentheses and keywords; the gateway reads what a POSIX shell or bash reads.',
  );
}

function placed(place: Place): Simple {
  return simple({ pipeline: place.pipeline, background: place.background });
}

function commandOf(node: Command, place: Place): Simple {
  const words: Word[] = node.name ? [wordOf(node.name)] : [];
  for (const each of node.suffix) {
    if (each.type === 'Word') words.push(wordOf(each));
    else if (each.type === 'Assignment') words.push(unknownWord(each.text, 'variable'));
  }
  const assignments = node.prefix.flatMap((each) => (each.type === 'Assignment' ? [assignmentOf(each)] : []));
  return { ...placed(place), words, assignments, ...redirectionsOf(node.redirects) };
}

function assignmentOf(node: BashAssignment): { name: string; value: Word } {
  const value = node.value.type === 'Word' ? wordOf(node.value) : unknownWord(node.text, 'variable');
  return { name: node.name, value };
}

function redirectionsOf(nodes: readonly BashRedirection[]): Pick<Simple, 'redirections' | 'inputs'> {
  const redirections: Redirection[] = [];
  const inputs: Word[] = [];
  for (const node of nodes) {
    if (node.type === 'HereDoc') inputs.push(unknownWord(node.body.text, 'variable'));
    else if (node.target) {
      const target = wordOf(node.target);
      if (node.type === 'HereString') inputs.push(target);
      else if (!/^(?:<&|>&)$/.test(node.operator) || !/^(?:\d+-?|-)$/.test(target.value)) {
        const direction = node.operator.startsWith('<>') ? 'both' : node.operator.startsWith('<') ? 'read' : 'write';
        redirections.push({ direction, target });
      }
    }
  }
  return { redirections, inputs };
}

function wordOf(word: BashWord): Word {
  const reasons = new Set<Reason>();
  const globbed = { found: false };
  for (const part of word.parts ?? []) look(part, reasons, globbed);
  return {
    raw: word.text,
    value: word.value,
    reasons,
    expanded: globbed.found || /^~/.test(word.text),
    quoted: /['"\\]/.test(word.text),
    inner: [],
  };
}

function look(part: WordPart, reasons: Set<Reason>, globbed: { found: boolean }): void {
  switch (part.type) {
    case 'Literal':
    case 'SingleQuoted':
    case 'AnsiCQuoted':
      return;
    case 'DoubleQuoted':
      for (const inner of part.parts) look(inner, reasons, globbed);
      return;
    case 'Glob':
    case 'ExtendedGlob':
      globbed.found = true;
      return;
    case 'BraceExpansion':
      reasons.add('braces');
      return;
    case 'ArithmeticExpansion':
      reasons.add('arithmetic');
      return;
    case 'CommandExpansion':
    case 'ProcessSubstitution':
      reasons.add('substitution');
      return;
    default:
      reasons.add('variable');
  }
}

function unknownWord(raw: string, reason: Reason): Word {
  return { raw, value: raw, reasons: new Set([reason]), expanded: false, quoted: false, inner: [] };
}
