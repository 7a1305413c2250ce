import { http2Adapter } from './http2.ts';
import { contractSuite } from './suite.ts';

contractSuite(http2Adapter);
