/**
 * The scenes of the tour, in the order in which they are played; later ones stand on what earlier ones left behind. Each
 * says what it claims and checks it against what lies behind the gateway, never against the gateway's own word.
 */
import type { Scene } from '../scene.ts';
import { again, approved } from './approval.ts';
import { buildHostScene } from './build-host.ts';
import { crmScene } from './crm.ts';
import { customers } from './customers.ts';
import { drop } from './drop.ts';
import { everythingScene } from './everything.ts';
import { replay, tamper } from './evidence.ts';
import { monitoring } from './monitoring.ts';
import { runbooksScene } from './runbooks.ts';

export const scenes: readonly Scene[] = [
  monitoring,
  customers,
  drop,
  approved,
  again,
  replay,
  tamper,
  buildHostScene,
  crmScene,
  runbooksScene,
  everythingScene,
];
