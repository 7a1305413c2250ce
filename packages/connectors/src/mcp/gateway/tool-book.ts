import type { Log } from '@sluice/core/contract/connector.ts';
import type { Pins } from '@sluice/core/contract/pins.ts';
import type { Session } from '@sluice/core/contract/session.ts';
import { CoreError } from '@sluice/core/domain/error.ts';
import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import type { Carrier } from './carrier.ts';
import { readTool, type ToolDefinition } from './tool-definition.ts';
import type { KnownTool, Standing } from './units.ts';

export interface ToolBookPorts {
  readonly session: Session;
  readonly carrier: Carrier;
  readonly pins: Pins;
  readonly log: Log;
}

const mostPages = 100;
const mostTools = 1_000;
const mostCharacters = 8 * 1024 * 1024;

/**
 * The tools of a target as one session knows them: what the target says they are, held against what is pinned. Read when
 * it is first needed, when the client lists them, and again when the target says that they have changed.
 */
export class ToolBook {
  readonly #ports: ToolBookPorts;
  #tools: Promise<Map<string, KnownTool>> | undefined;
  /** What was told about the last reading, so that it is not told again with each. */
  #told = new Set<string>();

  constructor(ports: ToolBookPorts) {
    this.#ports = ports;
  }

  /** The next who asks reads them again. */
  forget(): void {
    this.#tools = undefined;
  }

  all(): Promise<ReadonlyMap<string, KnownTool>> {
    const reading = this.#tools ?? this.#read();
    this.#tools = reading;
    reading.catch(() => {
      if (this.#tools === reading) this.#tools = undefined;
    });
    return reading;
  }

  /** Holds the target to this definition from now on. Rejects when somebody else was first with another. */
  async pin({ definition, standing }: KnownTool): Promise<void> {
    if (standing.state === 'pinned') return;
    const { pins, session } = this.#ports;
    const instead = standing.state === 'changed' ? standing.pinned : undefined;
    const { name } = session.info.target;
    const pinned = await pins.put(name, pinName(definition.name), definition.canonical, instead);
    if (pinned || (await pins.of(name)).get(pinName(definition.name)) === definition.canonical) {
      const known = await this.#tools;
      if (known?.get(definition.name)?.definition.canonical === definition.canonical) {
        known.set(definition.name, { definition, standing: { state: 'pinned' } });
      }
      return;
    }
    this.forget();
    throw new CoreError(
      'upstream_protocol',
      'upstream',
      `The definition of the tool "${definition.name}" changed meanwhile. List the tools again, and then decide.`,
    );
  }

  async #read(): Promise<Map<string, KnownTool>> {
    const definitions = await this.#definitions();
    const pinned = await this.#ports.pins.of(this.#ports.session.info.target.name);
    const known = new Map<string, KnownTool>();
    for (const definition of definitions.values()) {
      const standing = standingOf(definition, pinned.get(pinName(definition.name)));
      if (standing.state === 'changed') this.#tell('tool_changed', definition.name);
      known.set(definition.name, { definition, standing });
    }
    return known;
  }

  async #definitions(): Promise<ReadonlyMap<string, ToolDefinition>> {
    const found = new Map<string, ToolDefinition>();
    const twice = new Set<string>();
    let characters = 0;
    for await (const json of this.#listed()) {
      const definition = readTool(json);
      if ('unfit' in definition) {
        this.#tell('tool_left_out', definition.unfit);
        continue;
      }
      characters += definition.canonical.length;
      // Two tools of one name: whichever were taken, the other could be meant.
      if (found.has(definition.name)) twice.add(definition.name);
      found.set(definition.name, definition);
      if (found.size > mostTools || characters > mostCharacters) throw tooMany();
    }
    for (const name of twice) {
      found.delete(name);
      this.#tell('tool_left_out', `two tools are called ${name}`);
    }
    return found;
  }

  async *#listed(): AsyncIterable<Json> {
    let cursor: string | undefined;
    for (let page = 0; page < mostPages; page++) {
      const params: JsonObject = cursor === undefined ? {} : { cursor };
      const answer = await this.#ports.carrier.own('tools/list', params);
      if (answer.kind === 'error') {
        const text = 'The target did not say which tools it has.';
        throw new CoreError('upstream_protocol', 'upstream', text, { detail: `tools/list: ${answer.error.code}` });
      }
      const { tools, nextCursor } = answer.result;
      if (!Array.isArray(tools))
        throw new CoreError('upstream_protocol', 'upstream', 'The target’s list of tools is none.');
      yield* tools as readonly Json[];
      if (typeof nextCursor !== 'string') return;
      cursor = nextCursor;
    }
    throw tooMany();
  }

  #tell(name: string, about: string): void {
    const key = `${name}:${about}`;
    if (this.#told.has(key) || this.#told.size >= mostTools) return;
    this.#told.add(key);
    this.#ports.session.record({ type: 'event', name, detail: { about } });
    const { id, target } = this.#ports.session.info;
    this.#ports.log.warn({ session: id, target: target.name, about }, `MCP target: ${name}`);
  }
}

function standingOf(definition: ToolDefinition, pinned: string | undefined): Standing {
  if (pinned === undefined) return { state: 'new' };
  return pinned === definition.canonical ? { state: 'pinned' } : { state: 'changed', pinned };
}

function pinName(tool: string): string {
  return `tool:${tool}`;
}

function tooMany(): CoreError {
  return new CoreError('upstream_protocol', 'upstream', 'The target has more tools than can be looked through.');
}
