import { http1Adapter } from './http.ts';
import { contractSuite } from './suite.ts';

contractSuite(http1Adapter);
