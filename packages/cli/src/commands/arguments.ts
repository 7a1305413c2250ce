/**
 * The commands of `sluice`, one file per command or group: each declares itself to commander, asks the gateway or the
 * part that does the work, and says how to print the answer. None of them decides anything. In this file: how values
 * of options are read.
 */
import { parseDuration } from '@sluice/api/duration.ts';
import { InvalidArgumentError } from 'commander';

/** Parsers for option values; what they throw is reported as a usage error. */
export function duration(text: string): string {
  if (parseDuration(text) === undefined) {
    throw new InvalidArgumentError('It is a number and a unit: 90s, 15m, 8h or 1d.');
  }
  return text;
}

export function whole(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^[0-9]+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It is a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

export function positive(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('It is a number above 0.');
  return value;
}
