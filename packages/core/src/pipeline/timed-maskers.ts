import type { StreamMasker, TextMaskers } from '../contract/labels.ts';
import type { SessionInfo } from '../domain/session.ts';
import type { PipelinePorts } from './ports.ts';

/** A session's maskers for what has no columns, with what each call takes told to the ports. */
export function timed(
  { texts, overhead }: PipelinePorts,
  info: SessionInfo,
  hidden: (label: string) => boolean,
): TextMaskers {
  const maskers = texts(info, hidden);
  const taking = <T>(mask: () => T): T => {
    const begun = overhead.micros();
    try {
      return mask();
    } finally {
      overhead.spent(info.target.connector, 'mask', overhead.micros() - begun);
    }
  };
  return {
    text: (text) => taking(() => maskers.text(text)),
    json: (value, labelsAt) => taking(() => maskers.json(value, labelsAt)),
    jsonText: (text, labelsAt) => taking(() => maskers.jsonText(text, labelsAt)),
    stream: () => timedStream(maskers.stream(), taking),
  };
}

function timedStream(masker: StreamMasker, taking: <T>(mask: () => T) => T): StreamMasker {
  return {
    push: (bytes) => taking(() => masker.push(bytes)),
    idle: () => taking(() => masker.idle()),
    end: () => taking(() => masker.end()),
    get labels() {
      return masker.labels;
    },
    get masked() {
      return masker.masked;
    },
  };
}
