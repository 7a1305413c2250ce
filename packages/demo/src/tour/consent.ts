import type { AccessRequest } from '@sluice/api/schema/access-request.ts';
import { harmless } from '../terminal/ink.ts';
import type { Claim, Props } from './scene.ts';

/** The access request of which the agent was told, as the people see it who are asked. */
export async function waitingRequest({ dba }: Props, id: string | undefined, claim: Claim): Promise<AccessRequest> {
  const { items } = await dba.accessRequests({ state: 'pending' });
  const request = items.find((item) => item.id === id);
  claim('The agent was told which access request it waits for', request !== undefined, id ?? 'it was told of none');
  if (!request) throw new Error('The DBA does not see the request that the agent waits for.');
  return request;
}

export function showRequest({ narrator }: Props, request: AccessRequest): void {
  const values = request.parameters.map((value, index) => `$${index + 1} = ${value}`).join(', ');
  const text = request.actions[0]?.text.replace(/\s*\/\*.*\*\/\s*$/, '').replaceAll(/\n+/g, '\n') ?? '';
  narrator.aside('DBA sees', harmless(`${request.requester.display_name} asks for ${text}\n${values}`.trimEnd()));
}

/** The id of an access request in what the agent was told. */
export function requestIn(text: string): string | undefined {
  return /\breq_[a-z0-9]+/.exec(text)?.[0];
}
