/** RFC 9113 section 4.1: length, type, flags, stream; section 6.8: last stream and error code. */
const headBytes = 9;
const goaway = 7;
const goawayBytes = 8;

/**
 * Finds the GOAWAY of an error among frames that Node sends of itself. It ends a connection with one where a client's
 * frames are wrong (RFC 9113 section 5.4.1), tells nobody, and keeps the connection.
 */
export function goawayWatch(found: (code: number) => void): (bytes: Uint8Array) => void {
  let head = Buffer.alloc(0);
  let skip = 0;
  return (bytes) => {
    let rest = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    while (rest.length > 0) {
      const skipped = Math.min(skip, rest.length);
      skip -= skipped;
      rest = rest.subarray(skipped);
      if (rest.length === 0) return;
      const wanted = head.length >= headBytes ? headBytes + goawayBytes : headBytes;
      const piece = rest.subarray(0, wanted - head.length);
      head = Buffer.concat([head, piece]);
      rest = rest.subarray(piece.length);
      if (head.length < wanted) return;
      const length = head.readUIntBE(0, 3);
      if (wanted === headBytes && head[3] === goaway && length >= goawayBytes) continue;
      if (wanted > headBytes && head.readUInt32BE(headBytes + 4) !== 0) found(head.readUInt32BE(headBytes + 4));
      skip = length - (wanted - headBytes);
      head = Buffer.alloc(0);
    }
  };
}
