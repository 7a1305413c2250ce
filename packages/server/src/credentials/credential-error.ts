import { SluiceError } from '@sluice/core/domain/error.ts';

/** Why no access credential was issued. */
export type CredentialErrorCode = 'invalid_ttl' | 'invalid_uses' | 'identity_expired' | 'too_many_credentials';

export class CredentialError extends SluiceError<CredentialErrorCode> {
  constructor(code: CredentialErrorCode, publicMessage: string) {
    super(code, 'client', publicMessage);
    this.name = 'CredentialError';
  }
}
