import type { Json, JsonObject } from '@sluice/core/domain/json.ts';
import { isObject, NotAMessage, rpcCodes } from '../jsonrpc/message.ts';
import { type PeerInfo, protocolVersions } from './peer.ts';
import { visibleText } from './visible-text.ts';

/** What is said in `initialize`, by the client and to it (MCP "Lifecycle"). */

/** MCP "Version Negotiation": what the client asks for, or the newest that is spoken here. */
export function agreedVersion({ protocolVersion }: JsonObject): string {
  if (typeof protocolVersion !== 'string') {
    throw new NotAMessage('Invalid params: protocolVersion is a text.', undefined, rpcCodes.invalidParams);
  }
  return protocolVersions.includes(protocolVersion) ? protocolVersion : (protocolVersions[0] ?? '');
}

/** The name by which the client calls itself, with its version; empty where it says none. */
export function applicationOf({ clientInfo }: JsonObject): string {
  const { name, version } = isObject(clientInfo) ? clientInfo : {};
  const called = typeof name === 'string' ? visibleText(name, 64) : '';
  return called !== '' && typeof version === 'string' ? `${called}/${visibleText(version, 32)}` : called;
}

/** Of what the target can do, that which is understood here. Its instructions to models are nobody's decision, and stay behind. */
export function initializeResult(version: string, target: string, info: PeerInfo): JsonObject {
  const { tools, resources, prompts, completions, logging } = info.capabilities;
  const changes = (capability: Json | undefined): JsonObject =>
    isObject(capability) && capability['listChanged'] === true ? { listChanged: true } : {};
  const subscribe = isObject(resources) && resources['subscribe'] === true ? { subscribe: true } : {};
  return {
    protocolVersion: version,
    capabilities: {
      ...(isObject(tools) ? { tools: changes(tools) } : {}),
      ...(isObject(resources) ? { resources: { ...subscribe, ...changes(resources) } } : {}),
      ...(isObject(prompts) ? { prompts: changes(prompts) } : {}),
      ...(isObject(completions) ? { completions: {} } : {}),
      ...(isObject(logging) ? { logging: {} } : {}),
    },
    serverInfo: { name: target, version: info.release || '0' },
  };
}
