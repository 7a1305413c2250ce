import { childResource, type Resource, targetResource } from '@sluice/core/domain/resource.ts';

/**
 * What SSH acts on, as resources: Target > Command, Target > Address, and Target > Path > Path … as directories are. It
 * names things; it does not know which of them exist.
 */

/** Where the programs of the system are: a path into one of them names the same program as its bare name. */
const systemDirectories: ReadonlySet<string> = new Set([
  '/bin',
  '/sbin',
  '/usr/bin',
  '/usr/sbin',
  '/usr/local/bin',
  '/usr/local/sbin',
]);

/** The name of a program without the directory it is in. */
export function baseName(program: string): string {
  return program.slice(program.lastIndexOf('/') + 1);
}

/**
 * By its bare name if it has one or is in a directory of the system. A program elsewhere (`/tmp/ls`) is not the one that
 * a policy means by `web/ls`, so it keeps its whole path.
 */
export function commandResource(target: string, named: string): Resource {
  // `/bin//ls` and `/bin/./ls` are `/bin/ls`.
  const program = named.replace(/\/(?:\.?\/)+/g, '/');
  const slash = program.lastIndexOf('/');
  const system = slash > 0 && systemDirectories.has(program.slice(0, slash));
  return childResource('Command', targetResource(target), system ? program.slice(slash + 1) : program);
}

export function addressResource(target: string, host: string, port: number): Resource {
  return childResource('Address', targetResource(target), `${segment(host)}:${port}`);
}

/**
 * `/var/log` is `web/var/log` in `web/var` in `web/`. A path that is not absolute stands below `web/~`: wherever the
 * command starts. `.` and empty parts mean nothing and are left out; `..` is kept, as only the target knows what it
 * leads to when a link is before it: whoever calls must have resolved it, or say that it is not known.
 */
export function pathResource(target: string, path: string): Resource {
  const root: Resource = { type: 'Path', id: `${target}/`, parent: targetResource(target) };
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  const absolute = path.startsWith('/');
  let resource: Resource = absolute ? root : { type: 'Path', id: `${target}/~`, parent: targetResource(target) };
  for (const [index, part] of parts.entries()) {
    const first = absolute && index === 0;
    const name = first && part === '~' ? '%7E' : segment(part);
    resource = { type: 'Path', id: first ? `${target}/${name}` : `${resource.id}/${name}`, parent: resource };
  }
  return resource;
}

/** A name may itself contain what ids are made with; two different paths must never make one id. */
function segment(name: string): string {
  return name.replaceAll('%', '%25').replaceAll('/', '%2F');
}
