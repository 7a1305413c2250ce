/** The units of the protocol: what each request of a client means, and all that it is made of when it is carried out. */

import type { Action } from '@sluice/core/domain/action.ts';
import { targetResource } from '@sluice/core/domain/resource.ts';
import type { RunContext } from '@sluice/core/domain/run.ts';
import type { Unit, UnitHandle } from '@sluice/core/domain/unit.ts';
import { addressResource } from '../resources.ts';

/** Reads a command line; throws a SluiceError for one that has no meaning it could be judged by. */
export type Understand = (target: string, text: string, environment: ReadonlyMap<string, string>) => readonly Action[];

export interface Surroundings {
  readonly environment: ReadonlyMap<string, string>;
  /** TERM of the terminal that was asked for. Its size is no part of what is approved: it changes with every window. */
  readonly terminal?: string;
  readonly run?: RunContext | undefined;
}

export function execUnit(understand: Understand, target: string, command: string, around: Surroundings): Unit {
  const { environment, terminal } = around;
  // At a terminal, programs page what they print, and a pager runs commands.
  const seen = terminal === undefined ? environment : new Map([...environment, ['TERM', terminal]]);
  const begun = performance.now();
  const actions = understand(target, command, seen);
  return { ...unit('exec', actions, { command }, around), parsing: (performance.now() - begun) * 1_000 };
}

export function shellUnit(target: string, around: Surroundings): Unit {
  const action: Action = {
    verb: 'ssh:shell',
    access: 'execute',
    resources: [targetResource(target)],
    text: `interactive shell on ${target}`,
    context: {},
  };
  return unit('shell', [action], {}, around);
}

export function forwardUnit(target: string, host: string, port: number): Unit {
  const action: Action = {
    verb: 'ssh:forward',
    access: 'execute',
    resources: [addressResource(target, host, port)],
    text: `forward to ${host}:${port}`,
    context: { host, port },
  };
  return unit('direct-tcpip', [action], { host, port: String(port) }, { environment: new Map() });
}

/** What the client sends for a unit while that runs. It stands for the same actions, and is judged as they are now. */
export function inputUnit(of: Unit, handle: UnitHandle, data: Uint8Array, before: Uint8Array, typed: boolean): Unit {
  return {
    ...of,
    name: 'input',
    continues: handle,
    content: { data, before, ...(typed ? { terminal: true } : {}) },
  };
}

function unit(
  name: string,
  actions: readonly Action[],
  binding: Readonly<Record<string, string>>,
  { environment, terminal, run }: Surroundings,
): Unit {
  const variables = [...environment].map(([key, value]) => [`env.${key}`, value]);
  return {
    name,
    bytes: [],
    actions,
    labels: [],
    exposures: [],
    parameters: [],
    binding: { ...binding, ...Object.fromEntries(variables), ...(terminal === undefined ? {} : { terminal }) },
    ...(run ? { run } : {}),
  };
}

/** What is sent to the target comes out of the unit that was judged. */
export function commandOf({ binding }: Unit): string {
  return binding['command'] ?? '';
}

export function environmentOf({ binding }: Unit): Record<string, string> {
  const found = Object.entries(binding).filter(([key]) => key.startsWith('env.'));
  return Object.fromEntries(found.map(([key, value]) => [key.slice(4), value]));
}

export function terminalOf({ binding }: Unit): string | undefined {
  return binding['terminal'];
}
