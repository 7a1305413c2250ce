import { nestsDeeper } from './check.ts';
import type { AnyEvent } from './entry.ts';
import { eventChecks } from './event-checks.ts';
import {
  type EventTypeName,
  eventTypeName,
  flagDeflated,
  isStreamName,
  maxPayload,
  sealPayload,
  toHex,
} from './format.ts';
import type { Frame } from './frame-reader.ts';
import type { Inflater } from './ports.ts';
import { cellsAt } from './result-rows.ts';
import { countRows } from './row-cells.ts';

export type Decoded = { readonly event: AnyEvent } | { readonly problem: string };

const maxDepth = 16;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The event in a frame, or what is wrong with it. Never throws; views in the result belong to the frame. */
export function decodeFrame(frame: Frame, inflater: Inflater): Decoded {
  const type = eventTypeName(frame.type);
  if (type === undefined) return { problem: `event type ${frame.type} is unknown` };
  if ((frame.flags & ~flagDeflated) !== 0) return { problem: `flags ${frame.flags} are unknown` };
  if (type === 'seal' && frame.flags !== 0) return { problem: 'a seal has no flags' };
  try {
    const payload = frame.flags === flagDeflated ? inflated(frame.payload, inflater) : frame.payload;
    return decodePayload(type, payload);
  } catch (error) {
    return { problem: error instanceof Error ? error.message : 'the payload cannot be read' };
  }
}

function inflated(stored: Uint8Array, inflater: Inflater): Uint8Array {
  if (stored.length < 4) throw new Error('the compressed payload is too short');
  const size = new DataView(stored.buffer, stored.byteOffset).getUint32(0);
  if (size > maxPayload) throw new Error('the payload is larger than allowed when inflated');
  try {
    return inflater.inflate(stored.subarray(4), size);
  } catch {
    throw new Error('the compressed payload does not inflate to what it says');
  }
}

function decodePayload(type: EventTypeName, payload: Uint8Array): Decoded {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  if (type === 'rows') {
    const cells = payload.subarray(cellsAt);
    const count = payload.length < cellsAt ? -1 : view.getUint32(0);
    if (countRows(cells) !== count) return { problem: 'the rows are not laid out as rows' };
    return { event: { type, count, cells } };
  }
  if (type === 'terminal' || type === 'input' || type === 'output') return decodeContent(type, payload);
  if (type === 'seal') {
    if (payload.length !== sealPayload) return { problem: 'the seal does not have the length of a seal' };
    const events = view.getBigUint64(8);
    if (events > BigInt(Number.MAX_SAFE_INTEGER)) return { problem: 'the seal counts more events than can be' };
    return {
      event: {
        type,
        keyId: toHex(payload.subarray(0, 8)),
        events: Number(events),
        signature: payload.subarray(16),
      },
    };
  }
  return decodeJson(type, payload);
}

/** Bytes that belong to a unit, each with its number before them. */
function decodeContent(type: 'terminal' | 'input' | 'output', payload: Uint8Array): Decoded {
  if (payload.length < 4) return { problem: 'the content does not say which unit it belongs to' };
  const unit = new DataView(payload.buffer, payload.byteOffset).getUint32(0);
  if (type === 'input') return { event: { type, unit, data: payload.subarray(4) } };
  const next = payload[4];
  if (type === 'terminal') {
    if (next !== 0 && next !== 1) return { problem: 'the direction of terminal bytes is unknown' };
    return { event: { type, unit, direction: next === 0 ? 'input' : 'output', data: payload.subarray(5) } };
  }
  const data = 5 + (next ?? 0);
  const stream = ascii(payload.subarray(5, data));
  if (payload.length < data || !isStreamName(stream)) return { problem: 'the output does not name its stream' };
  return { event: { type, unit, stream, data: payload.subarray(data) } };
}

function ascii(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes);
}

function decodeJson(type: EventTypeName, payload: Uint8Array): Decoded {
  let json: string;
  try {
    json = utf8.decode(payload);
  } catch {
    return { problem: 'the body is not UTF-8' };
  }
  if (nestsDeeper(json, maxDepth)) return { problem: 'the body nests too deep' };
  let body: unknown;
  try {
    body = JSON.parse(json);
  } catch {
    return { problem: 'the body is not JSON' };
  }
  if (eventChecks[type]?.(body) !== true) return { problem: `the body does not have the shape of the type ${type}` };
  if ((body as { type?: unknown }).type !== type) return { problem: 'the body names another type than the frame' };
  return { event: body as AnyEvent };
}
