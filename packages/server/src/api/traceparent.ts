const form = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** The trace that a caller's `traceparent` names (W3C Trace Context section 3.2), or undefined for anything malformed. */
export function traceId(header: string | undefined): string | undefined {
  const match = header === undefined ? null : form.exec(header);
  const [, trace, parent] = match ?? [];
  if (!trace || !parent || /^0+$/.test(trace) || /^0+$/.test(parent)) return undefined;
  return trace;
}
