/**
 * What an action touches. Resources form a tree per connector that ends in the target, and ids carry the whole
 * path (`shop/public/customers`), so that two targets never collide.
 */
export interface Resource {
  /** Declared by the connector: `Table`, `Schema`, `Function`, … or `Target`. */
  readonly type: string;
  readonly id: string;
  readonly parent?: Resource;
}

export function targetResource(name: string): Resource {
  return { type: 'Target', id: name };
}

export function childResource(type: string, parent: Resource, name: string): Resource {
  return { type, id: `${parent.id}/${name}`, parent };
}
