// The types of rollcall.cjs, which explains them.
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Somebody as Rollcall shows them. What is left out stays as it is known. */
interface Person {
  id: string | number;
  name?: string | null;
  email?: string | null;
  role?: string | null;
  organization?: string | null;
  team?: string | null;
}

interface Options<Req, Res> {
  /** Who is logged in, nothing for nobody. */
  user(req: Req): Person | null | undefined | false | '' | Promise<Person | null | undefined | false | ''>;
  /** Logs the person of the request out. Without it their session is destroyed. */
  signOut?(req: Req, res: Res): unknown;
  /** A name of the session that stays the same for one login, where there is no req.session. */
  session?(req: Req): string | undefined | Promise<string | undefined>;
  log?(line: string): void;
}

interface Rollcall<Req, Res> {
  route(req: Req, res: Res, next: (error?: any) => void): Promise<unknown>;
  /** Whether they may not log in now; then the page that says why has been sent. */
  refuses(person: Person, res: Res): Promise<boolean>;
  loggedOut(req: Req): Promise<void>;
  passwordChanged(req: Req, id: string | number): Promise<void>;
  changed(person: Person): Promise<void>;
  deactivated(id: string | number): Promise<void>;
  deleted(id: string | number): Promise<void>;
  /** The script tag for the head of every page; '' where Rollcall is off. */
  script: string;
}

declare function rollcallFor<Req extends IncomingMessage = any, Res extends ServerResponse = any>(options: Options<Req, Res>): Rollcall<Req, Res>;
declare namespace rollcallFor {
  export { Person, Options, Rollcall };
}
export = rollcallFor;
