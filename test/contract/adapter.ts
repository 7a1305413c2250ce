/**
 * What a protocol provides so that the contract suite can hold its connector to what every connector promises: a real
 * target, a real gateway in front of it, a client that can be as rude as needed, and things to ask. It speaks of no
 * protocol and asserts nothing; what is promised is in `suite.ts` and the files of promises beside it.
 */
import type { ApiClient } from '@sluice/api/client.ts';
import type { TestClaims } from '../harness/issuer.ts';

export interface Address {
  readonly host: string;
  readonly port: number;
}

/** One thing that a client can ask for. What it is made of is the adapter's business. */
export interface Ask {
  /** As the client writes it; the recording and the target's log have it in these words. */
  readonly text: string;
  /** One of the adapter's `forms`; the first of them if absent. */
  readonly form?: string;
}

/** A refusal as read out of the protocol's own form of it. */
export interface Refusal {
  readonly decision: string;
  readonly reason: string;
  readonly policies: readonly string[];
  readonly request: string | undefined;
  readonly url: string | undefined;
  readonly hint: string;
}

/** What the client was told, in whatever form the protocol has for it. */
export interface Words {
  /** The protocol's own code: SQLSTATE, exit status, HTTP status, …. */
  readonly code: string;
  readonly message: string;
}

export type Answer =
  /** `values`: everything in it that the target said, as text; null for a null. */
  | { readonly outcome: 'done'; readonly values: readonly (string | null)[]; readonly items: number }
  /** The gateway refused by policy. */
  | ({ readonly outcome: 'refused'; readonly refusal: Refusal } & Words)
  /** The protocol's own error for anything else, whoever met it. */
  | ({ readonly outcome: 'failed' } & Words);

export interface ContractSession {
  /** Sends without waiting for what was asked before. */
  send(...asks: readonly Ask[]): void;
  /** The next answer, in the order of what was asked. Rejects when the session ends before it. */
  answer(): Promise<Answer>;
  /** Resolves when the client is told that what it asked for waits for consent. */
  notice(): Promise<{ readonly request: string }>;
  /** Bytes below everything that a client's library would check, in the place of the next message. */
  raw(bytes: Uint8Array): void;
  /** Gives up what runs or waits, in the protocol's own way. */
  cancel(): Promise<void>;
  /** Says goodbye in good order; resolves when the connection is closed. */
  close(): Promise<void>;
  /** Closes the connection without a word. */
  drop(): void;
  /** Resolves when the gateway has ended the session, with the last it said about why. */
  ended(): Promise<Words | undefined>;
  /** Everything that the client was given so far, in whatever form, decrypted. */
  received(): Buffer;
}

export type Opened =
  | { readonly open: true; readonly session: ContractSession }
  | { readonly open: false; readonly words: Words };

export type Proof =
  | { readonly kind: 'token'; readonly token: string }
  | { readonly kind: 'credential'; readonly id: string; readonly secret: string };

export interface ContractTarget {
  /** Where it listens, in the clear, so that the suite can see what arrives there. */
  readonly address: Address;
  /** What it was told to do, by its own account, in order, also by the gateway itself. The suite's own questions are left out. */
  executed(): Promise<readonly string[]>;
  /** What clients of it run at this moment, by its own account. */
  running(): Promise<readonly string[]>;
  /** How often the effect of `asks.held(tag)` happened. */
  effects(tag: string): Promise<number>;
  /** Whether these bytes, on their way to it, carry an ask with this tag. */
  carries(bytes: Buffer, tag: string): boolean;
  /** What the gateway logs in with; no client may ever see one of these. */
  readonly credentials: readonly string[];
  /** The values behind labels; whoever may not see the label may not see one of these. */
  readonly labelled: readonly string[];
  stop(): Promise<void>;
}

export interface GatewayOptions {
  /** Where the gateway finds the target: not the target's own address, but one in front of it. */
  readonly upstream: Address;
  readonly target: ContractTarget;
  readonly policies: string;
  /** Kept when the gateway stops. */
  readonly dataDir: string;
  /** Lines for sluice.yaml. */
  readonly config: string;
}

export interface ContractGateway {
  /** Its listener for the protocol. */
  readonly address: Address;
  readonly configFile: string;
  /** The target's name in its configuration. */
  readonly targetName: string;
  token(claims: TestClaims): Promise<string>;
  apiAs(claims: TestClaims): Promise<ApiClient>;
  /** Resolves once they are in force. */
  setPolicies(text: string): Promise<void>;
  stop(): Promise<void>;
}

/** Features that not every protocol has. */
export type Feature =
  | 'pipelining'
  | 'cancelling'
  | 'parking'
  /** A client is told when what it asked for waits for consent. */
  | 'notices'
  /** A session ends with its connection to the target. */
  | 'attachment';

/** `tag` is a short word that occurs nowhere else; whoever sees the ask sees it. */
export interface Asks {
  /** Reads; the answer's values have the tag in them, and the target keeps nothing of it. */
  read(tag: string): Ask;
  /** Of the verb that the suite's policies forbid. */
  forbidden(tag: string): Ask;
  /** Of the verb that the suite's policies hold; the target counts it under `effects`. */
  held(tag: string): Ask;
  /** Permitted, and refused by the target itself. */
  failing(tag: string): Ask;
  /** Runs until somebody stops it. */
  slow(tag: string): Ask;
  /** An answer of at least `largeBytes`. */
  large(tag: string): Ask;
  /** An answer of exactly so many items (rows, entries), of the verb `verbs.read`. */
  items(count: number): Ask;
  /** Larger than the limits allow. */
  oversized(tag: string): Ask;
  /**
   * Ways to get at labelled values: each form of answer that the protocol has, and each way in which a value gets into
   * one. Whoever may see the labels sees them in each.
   */
  readonly labelled: readonly { readonly way: string; readonly ask: Ask }[];
  /** Ways to find such a value out without being shown it; empty where the protocol has none. */
  readonly prying: readonly { readonly way: string; readonly ask: (tag: string) => Ask }[];
}

/** Bytes that are no part of the protocol as the gateway knows it. */
export interface Oddity {
  readonly name: string;
  readonly bytes: Uint8Array;
  /** What follows: the session goes on behind a native error, or ends with one. */
  readonly after: 'goes on' | 'ends';
}

/** The head of a message that announces more than fits; the rest never comes. */
export interface Announcement {
  readonly name: string;
  readonly when: 'before login' | 'in session';
  readonly bytes: Uint8Array;
}

export interface Adapter {
  /** The connector's id in the list of what ships. */
  readonly connector: string;
  /** What carries the protocol, where the connector is held to the suite over more than one thing. */
  readonly over?: string;
  /** Each way in which the protocol can carry an ask; one at least. */
  readonly forms: readonly string[];
  readonly verbs: { readonly read: string; readonly forbidden: string; readonly held: string };
  readonly asks: Asks;
  readonly largeBytes: number;
  readonly oddities: readonly Oddity[];
  readonly announcements: readonly Announcement[];
  /** Cedar beside the suite's own: what `open` asks in order to have a session. */
  readonly policies?: string;
  /** What the protocol does not have, and why; the promises about it are skipped and say so. */
  readonly lacks: Readonly<Partial<Record<Feature, string>>>;
  /** How the target's account shows an ask whose actions have these texts in the recording. */
  asExecuted(texts: readonly string[]): string;
  startTarget(): Promise<ContractTarget>;
  startGateway(options: GatewayOptions): Promise<ContractGateway>;
  open(at: Address, proof: Proof, target: string): Promise<Opened>;
  /** Sends bytes instead of a login; resolves when the gateway has closed the connection, with all that it said. */
  knock(at: Address, bytes: Uint8Array): Promise<Buffer>;
}
