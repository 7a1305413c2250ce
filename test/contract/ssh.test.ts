import { sshAdapter } from './ssh.ts';
import { contractSuite } from './suite.ts';

contractSuite(sshAdapter);
