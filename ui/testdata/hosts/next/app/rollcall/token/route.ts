import { rollcall } from '../../../store';

export const POST = (request: Request) => rollcall.token(request);
