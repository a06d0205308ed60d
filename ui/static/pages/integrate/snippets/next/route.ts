import { rollcall } from '@/rollcall-setup';

export const POST = (request: Request) => rollcall.token(request);
