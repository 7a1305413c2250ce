/** Whether a user name has the form of an access credential's id. */
export function isCredentialId(user: string): boolean {
  return /^sac_[A-Za-z0-9_-]{16,60}$/.test(user);
}
