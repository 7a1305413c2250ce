import type { routes } from '@sluice/api/routes.ts';
import type { ClientInfo } from '@sluice/core/domain/session.ts';
import type { z } from 'zod';
import type { Guard } from './guard.ts';
import type { ApiServices } from './services.ts';

type Table = typeof routes;
export type RouteName = keyof Table;

type Parsed<R, Key extends string> = R extends { readonly [K in Key]: infer S extends z.ZodType }
  ? z.output<S>
  : undefined;

/** What a handler is given: everything already validated, the caller already authenticated. */
export interface Call<Name extends RouteName> {
  readonly services: ApiServices;
  readonly params: Parsed<Table[Name], 'params'>;
  readonly query: Parsed<Table[Name], 'query'>;
  readonly body: Table[Name] extends { readonly bodyOptional: true }
    ? Parsed<Table[Name], 'body'> | undefined
    : Parsed<Table[Name], 'body'>;
  /** Absent exactly on public routes. */
  readonly guard: Table[Name]['caller'] extends { readonly kind: 'public' } ? undefined : Guard;
  readonly client: ClientInfo;
  /** Media type that the caller prefers among the route's own, or undefined for JSON. */
  readonly streamAs: string | undefined;
}

/** Bytes instead of a JSON answer. */
export class Stream {
  readonly media: string;
  readonly body: AsyncIterable<Uint8Array>;
  readonly fileName: string | undefined;

  constructor(media: string, body: AsyncIterable<Uint8Array>, fileName?: string) {
    this.media = media;
    this.body = body;
    this.fileName = fileName;
  }
}

/** A JSON answer under one of the route's further statuses. */
export class WithStatus<T> {
  readonly status: number;
  readonly answer: T;

  constructor(status: number, answer: T) {
    this.status = status;
    this.answer = answer;
  }
}

export type Answer<Name extends RouteName> =
  | (Table[Name] extends { readonly response: infer S extends z.ZodType } ? z.input<S> | WithStatus<z.input<S>> : never)
  | (Table[Name] extends { readonly streams: readonly string[] } ? Stream : never);

export type Handler<Name extends RouteName> = (call: Call<Name>) => Promise<Answer<Name>>;

/** One handler per route: a route without one, or one without a route, does not compile. */
export type Handlers = { readonly [Name in RouteName]: Handler<Name> };
