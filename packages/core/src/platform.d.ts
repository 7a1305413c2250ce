// The only globals core uses beyond ECMAScript: the Encoding standard, present in Node and in browsers.
// Declared here because core compiles with `types: []`, so that an accidental use of Node shows as an error.
declare class TextEncoder {
  encode(input?: string): Uint8Array<ArrayBuffer>;
  encodeInto(source: string, destination: Uint8Array): { read: number; written: number };
}
declare class TextDecoder {
  constructor(label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean });
  decode(input?: Uint8Array): string;
}
