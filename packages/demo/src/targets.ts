/** The demo's targets, as clients and policies call them. */
export const shop = 'shop';
export const buildHost = 'build-host';
export const crm = 'crm';
export const runbooks = 'runbooks';
export const onCall = 'on-call';
