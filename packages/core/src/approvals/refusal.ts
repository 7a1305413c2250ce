/** Why an event does not move an access request. */
export type ApprovalRefusal =
  | 'settled'
  | 'not_approved'
  | 'lapsed'
  | 'own_request'
  | 'not_a_person'
  | 'proof_expired'
  | 'not_a_reviewer'
  | 'already_answered'
  | 'digest_differs'
  | 'consent_lost';

const texts: Readonly<Record<ApprovalRefusal, string>> = {
  settled: 'It is settled already; nothing more can be answered.',
  not_approved: 'It is not approved, so there is no grant to use or to revoke.',
  lapsed: 'Its time has run out. The requester can send the action again to ask anew.',
  own_request: 'Nobody reviews a request of their own, of an agent of theirs, or of someone they act for.',
  not_a_person: 'Only a person who acts for nobody else can consent.',
  proof_expired: 'Your proof of identity has expired. Log in again, then answer.',
  not_a_reviewer: 'You belong to none of the groups whose consent it needs.',
  already_answered: 'You have answered it already, and one person counts once.',
  digest_differs: 'What would run now differs from what was approved.',
  consent_lost: 'Someone whose approval counted no longer belongs to the group it counted for.',
};

/** For people, fit for a wire: names nobody and nothing of the request. */
export function refusalText(refusal: ApprovalRefusal): string {
  return texts[refusal];
}
