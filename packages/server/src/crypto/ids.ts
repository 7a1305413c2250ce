import { randomBytes } from 'node:crypto';
import type { Ids } from '@sluice/core/contract/crypto.ts';

// Lower case only: ids become file names, also on file systems that fold case, and people read them aloud.
const alphabet = 'abcdefghijkmnpqrstuvwxyz23456789';
const characters = 28;

/** 140 random bits behind the prefix. */
export const randomIds: Ids = {
  next(prefix) {
    let id = `${prefix}_`;
    for (const byte of randomBytes(characters)) id += alphabet[byte & 31];
    return id;
  },
};
