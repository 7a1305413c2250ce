import { z } from 'zod';
import { errorCodes } from '../error-code.ts';

export const ErrorBody = z.object({
  error: z.object({
    code: z.enum(errorCodes as [string, ...string[]]).meta({ description: 'Stable; made for programs' }),
    message: z.string().meta({ description: 'What happened; made for people' }),
    hint: z.string().optional().meta({ description: 'What to do next' }),
    request_id: z.string().meta({ description: 'To be found again in the gateway log' }),
  }),
});
export type ErrorBody = z.output<typeof ErrorBody>;
