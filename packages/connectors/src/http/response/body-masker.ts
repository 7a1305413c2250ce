import type { TextMaskers } from '@sluice/core/contract/labels.ts';
import { HttpError } from '../../wire/http/http-error.ts';
import { EventStreamSplitter, mapEvent } from './event-stream.ts';
import { LineSplitter } from './line-splitter.ts';

/** Masks a body piece by piece. Throws `HttpError` where it can't be sure; the answer must then break off. */
export interface BodyMasker {
  push(bytes: Uint8Array): Uint8Array;
  end(): Uint8Array;
  /** Labels of what was found so far, shown or not. */
  readonly labels: ReadonlySet<string>;
}

export type LabelsAt = (path: readonly string[]) => readonly string[];

/** Longest event or line that is held to be masked; bytes. */
const longest = 1024 * 1024;
const utf8 = new TextDecoder('utf-8', { fatal: true });
const none = new Uint8Array(0);

/** A JSON document, whole. Throws for what is no JSON: its labels can't be told. */
export function maskJsonDocument(
  bytes: Uint8Array,
  texts: TextMaskers,
  labelsAt: LabelsAt,
): { readonly bytes: Uint8Array; readonly masked: boolean; readonly labels: readonly string[] } {
  try {
    const { value, masked, labels } = texts.jsonText(utf8.decode(bytes), labelsAt);
    return { bytes: masked ? Buffer.from(value) : bytes, masked, labels };
  } catch (cause) {
    throw new HttpError('bad_response', 'The target says that its answer is JSON, and it can’t be read as such.', {
      cause,
    });
  }
}

/** `labelled`: values could bear labels that are known by their place alone, so that every event must be a document. */
export function eventMasker(texts: TextMaskers, labelsAt: LabelsAt, labelled: boolean): BodyMasker {
  const splitter = new EventStreamSplitter(longest);
  const labels = new Set<string>();
  const note = ({ value, labels: found }: { readonly value: string; readonly labels: readonly string[] }): string => {
    for (const label of found) labels.add(label);
    return value;
  };
  const map = {
    data: (text: string): string => note(maskMessage(text, texts, labelsAt, labelled)),
    // Comments and unknown fields can carry a document for those who look there.
    other: (text: string): string =>
      note(labelled && looksLikeJson(text) ? jsonOrText(text, texts, labelsAt) : texts.text(text)),
  };
  const written = (events: readonly (readonly string[])[]): Uint8Array =>
    events.length === 0 ? none : Buffer.from(events.map((lines) => mapEvent(lines, map)).join(''));
  return {
    labels,
    push: (bytes) => written(splitter.push(bytes)),
    end: () => written(splitter.end()),
  };
}

/** One JSON document for each line. */
export function lineMasker(texts: TextMaskers, labelsAt: LabelsAt): BodyMasker {
  const splitter = new LineSplitter(longest);
  const labels = new Set<string>();
  const written = (lines: readonly Buffer[]): Uint8Array =>
    Buffer.concat(
      lines.map((line) => {
        if (line.toString('latin1').trim() === '') return line;
        const masked = maskJsonDocument(line, texts, labelsAt);
        for (const label of masked.labels) labels.add(label);
        return masked.bytes;
      }),
    );
  return { labels, push: (bytes) => written(splitter.push(bytes)), end: () => written(splitter.end()) };
}

export function textMasker(texts: TextMaskers): BodyMasker {
  const stream = texts.stream();
  return {
    get labels() {
      return new Set(stream.labels);
    },
    push: (bytes) => stream.push(bytes),
    end: () => stream.end(),
  };
}

/**
 * One message: a document where it looks like one, else a text. Where values could bear labels that are known by their
 * place alone, a text that says anything can't be let through.
 */
export function maskMessage(
  text: string,
  texts: TextMaskers,
  labelsAt: LabelsAt,
  labelled: boolean,
): ReturnType<TextMaskers['text']> {
  if (looksLikeJson(text)) return jsonOrText(text, texts, labelsAt);
  if (labelled && !isStructuredMessage(text)) {
    throw new HttpError(
      'bad_response',
      'The target sent a message that is no JSON, in which labelled values could not be told.',
    );
  }
  return texts.text(text);
}

/** A document, or a word of the protocol above it, such as `ping` or `[DONE]`. */
export function isStructuredMessage(text: string): boolean {
  return looksLikeJson(text) || /^\[?[A-Za-z_]{0,16}\]?$/.test(text.trim());
}

function looksLikeJson(text: string): boolean {
  // `[DONE]` and the like are words, whoever reads them.
  return /^\s*["[{]/.test(text) && !/^\[[A-Za-z_]*\]$/.test(text);
}

function jsonOrText(text: string, texts: TextMaskers, labelsAt: LabelsAt): ReturnType<TextMaskers['text']> {
  try {
    return texts.jsonText(text, labelsAt);
  } catch (cause) {
    // What looks like a document and is none may be one to a more lenient reader.
    throw new HttpError('bad_response', 'The target sent a message that looks like JSON and can’t be read as such.', {
      cause,
    });
  }
}
