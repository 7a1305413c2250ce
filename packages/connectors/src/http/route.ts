import type { HttpTarget } from './target-form.ts';

export interface Route {
  /** As the client named it; whether there is such a target is found out when a session is opened. */
  readonly target: string;
  /** What goes in front of a path for clients, where a path was what named the target. */
  readonly prefix: string;
  /** The path below the target, as it came; begins with `/`. */
  readonly path: string;
}

/** `/t/<target>/…`; nothing is decoded: a target that is written otherwise is none. */
const byPath = /^\/t\/([A-Za-z0-9][A-Za-z0-9_.-]{0,127})(\/.*)?$/;

/** Where requests go: by the name they were sent to, or else by the path. Undefined where neither names a target. */
export function createRoutes(targets: readonly HttpTarget[]): (authority: string, path: string) => Route | undefined {
  const byHost = new Map<string, string>();
  for (const { name, hosts } of targets) {
    for (const host of [name.toLowerCase(), ...hosts]) byHost.set(host, name);
  }
  return (authority, path) => {
    const host = authority.replace(/:\d+$/, '').replace(/\.$/, '');
    const target = byHost.get(host);
    if (target !== undefined) return { target, prefix: '', path };
    const match = byPath.exec(path);
    return match?.[1] === undefined ? undefined : { target: match[1], prefix: `/t/${match[1]}`, path: match[2] ?? '/' };
  };
}
