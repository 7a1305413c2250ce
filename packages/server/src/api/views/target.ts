import type { Target } from '@sluice/api/schema/gateway.ts';
import type { TargetAccess } from '../services.ts';

export function accessView({ address, clientAccess }: TargetAccess): Pick<Target, 'accepts' | 'address'> {
  return {
    accepts: clientAccess ? ['secret', 'certificate'] : ['secret'],
    ...(address === undefined ? {} : { address: { host: address.host, port: address.port } }),
  };
}
