const hostName = /^[a-z0-9][a-z0-9._-]{0,254}$/;
const ofVersion6 = /^([0-9a-f:.]{2,45})(%[a-z0-9._-]{1,32})?$/;

/**
 * The one form of a host that policies are written for, and that is sent: names in lower case and without a dot at the
 * end, addresses as everybody writes them. Resolvers take `127.1`, `0x7f000001` and `::ffff:127.0.0.1` for the same.
 * Undefined for what is neither.
 */
export function hostOf(said: string): string | undefined {
  const host = said.toLowerCase();
  if (host.includes(':')) return version6(host);
  const name = host.replace(/\.$/, '');
  if (!hostName.test(name)) return undefined;
  const last = name.slice(name.lastIndexOf('.') + 1);
  return /^(?:\d+|0x[0-9a-f]*)$/.test(last) ? parsed(name) : name;
}

function version6(host: string): string | undefined {
  const [, address = '', zone = ''] = ofVersion6.exec(host) ?? [];
  const found = parsed(`[${address}]`)?.slice(1, -1);
  if (found === undefined) return undefined;
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(found);
  if (mapped) {
    const [high, low] = [Number.parseInt(mapped[1] ?? '', 16), Number.parseInt(mapped[2] ?? '', 16)];
    return zone === '' ? [high >> 8, high & 255, low >> 8, low & 255].join('.') : undefined;
  }
  // Only what is local to a link has a zone; elsewhere it would be one address under many names.
  return zone === '' || /^fe[89ab]/.test(found) ? `${found}${zone}` : undefined;
}

function parsed(host: string): string | undefined {
  try {
    return new URL(`http://${host}/`).hostname;
  } catch {
    return undefined;
  }
}
