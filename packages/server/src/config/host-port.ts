import { isIP } from 'node:net';

/** A place to listen on or to dial. IPv6 addresses stand without their brackets. */
export interface HostPort {
  readonly host: string;
  /** 0 only where any free port will do. */
  readonly port: number;
}

const hostLabel = /^(?!-)[A-Za-z0-9_-]{1,63}(?<!-)$/;

/** Reads `host:port` or `[IPv6]:port`; the error says what is wrong without repeating the text. */
export function parseHostPort(text: string, options: { zero: boolean }): HostPort | { readonly error: string } {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):([0-9]{1,5})$/.exec(text);
  if (!match) return { error: shapeError(text) };
  const [, bracketed, plain, digits] = match;
  const port = Number(digits);
  if (port > 65_535) return { error: 'the port must be at most 65535' };
  if (port === 0 && !options.zero) return { error: 'the port must not be 0 here' };
  if (bracketed !== undefined) {
    return isIP(bracketed) === 6 ? { host: bracketed, port } : { error: 'what is in brackets must be an IPv6 address' };
  }
  const host = plain ?? '';
  if (host === '') return { error: 'the host is missing; write 0.0.0.0 for every interface' };
  if (/^[0-9.]+$/.test(host) && isIP(host) !== 4) return { error: 'the host looks like an IPv4 address but is none' };
  if (
    host.length > 253 ||
    !host
      .replace(/\.$/, '')
      .split('.')
      .every((label) => hostLabel.test(label))
  ) {
    return { error: 'the host is neither a name nor an IP address' };
  }
  return { host, port };
}

function shapeError(text: string): string {
  if (/^[a-z]+:\/\//i.test(text)) return 'must be host:port without a scheme, like 127.0.0.1:5432';
  if (isIP(text) === 6) return 'an IPv6 address needs brackets and a port, like [::1]:5432';
  if (!text.includes(':')) return 'the port is missing; write host:port, like 127.0.0.1:5432';
  return 'must be host:port, like 127.0.0.1:5432 or [::1]:5432';
}

export function formatHostPort(at: HostPort): string {
  return at.host.includes(':') ? `[${at.host}]:${at.port}` : `${at.host}:${at.port}`;
}

/** Whether only this machine can be reached under the name: loopback addresses and `localhost`. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[|\]$/g, '');
  if (name === 'localhost' || name === '::1') return true;
  return isIP(name) === 4 && name.startsWith('127.');
}
