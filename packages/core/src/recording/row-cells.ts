// The layout of rows, see the `rows` event: u16 number of cells, then per cell an i32 length (-1 for null) and bytes.

/** Number of rows, or -1 when the bytes are not a run of whole rows. */
export function countRows(cells: Uint8Array): number {
  const view = new DataView(cells.buffer, cells.byteOffset, cells.byteLength);
  let at = 0;
  let rows = 0;
  while (at < cells.length) {
    if (at + 2 > cells.length) return -1;
    const columns = view.getUint16(at);
    at += 2;
    for (let column = 0; column < columns; column++) {
      if (at + 4 > cells.length) return -1;
      const size = view.getInt32(at);
      if (size < -1) return -1;
      at += 4 + Math.max(size, 0);
    }
    if (at > cells.length) return -1;
    rows++;
  }
  return rows;
}

/** Each row as its cells. The rows must have passed `countRows`. */
export function* rowsOf(cells: Uint8Array): Generator<(Uint8Array | null)[]> {
  const view = new DataView(cells.buffer, cells.byteOffset, cells.byteLength);
  let at = 0;
  while (at < cells.length) {
    const columns = view.getUint16(at);
    at += 2;
    const row: (Uint8Array | null)[] = [];
    for (let column = 0; column < columns; column++) {
      const size = view.getInt32(at);
      at += 4;
      row.push(size < 0 ? null : cells.subarray(at, at + size));
      at += Math.max(size, 0);
    }
    yield row;
  }
}

/** One row in that layout. */
export function encodeRow(row: readonly (Uint8Array | null)[]): Uint8Array {
  const size = row.reduce((sum, cell) => sum + 4 + (cell?.length ?? 0), 2);
  const bytes = new Uint8Array(size);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, row.length);
  let at = 2;
  for (const cell of row) {
    view.setInt32(at, cell ? cell.length : -1);
    at += 4;
    if (!cell) continue;
    bytes.set(cell, at);
    at += cell.length;
  }
  return bytes;
}
