/**
 * What the engine says when it ends itself: the message of an ErrorResponse whose severity is FATAL or PANIC; undefined
 * in any other answer. A server's process would exit after it; the engine stays, and answers nothing sensible any more.
 * See PostgreSQL protocol 3.0, "Error and Notice Message Fields" (V: severity, never localised; M: message).
 */
export function lastWords(answer: Uint8Array): string | undefined {
  const view = new DataView(answer.buffer, answer.byteOffset, answer.byteLength);
  for (let at = 0; at + 5 <= answer.length; ) {
    const length = view.getInt32(at + 1);
    if (length < 4) return undefined;
    if (answer[at] === 0x45) {
      const fields = fieldsOf(answer.subarray(at + 5, at + 1 + length));
      if (fields.get('V') === 'FATAL' || fields.get('V') === 'PANIC') return fields.get('M') ?? 'it did not say why';
    }
    at += 1 + length;
  }
  return undefined;
}

function fieldsOf(body: Uint8Array): Map<string, string> {
  const parts = new TextDecoder().decode(body).split('\0');
  return new Map(parts.filter((part) => part !== '').map((part) => [part.slice(0, 1), part.slice(1)]));
}
