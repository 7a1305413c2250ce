import { accessRequest, people, sessionRecord, type TestServices } from './services.ts';

/** One object of each kind, all of them the agent's. */
export function botsObjects(services: TestServices): void {
  services.requestRows.set('req_bot', accessRequest('req_bot'));
  services.sessionRows.set('ses_bot', sessionRecord('ses_bot', 'bot'));
  services.recordingBytes.set(
    'ses_bot',
    new Uint8Array(5000).map((_, i) => i),
  );
  services.eventRows.set('ses_bot', [{ type: 'action', unit: 0 }, { type: 'shape' }, { type: 'end' }]);
  services.credentialRows.set('sac_bot', {
    id: 'sac_bot',
    principal: people.bot.id,
    target: 'shop',
    createdAt: 0,
    expiresAt: Date.now() + 60_000,
  });
}
