import { postgresAdapter } from './postgres.ts';
import { contractSuite } from './suite.ts';

contractSuite(postgresAdapter);
