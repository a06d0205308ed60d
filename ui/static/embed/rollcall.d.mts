// Types of rollcall.mjs, of window.rollcall, its events, and the elements of Rollcall.

export type State = 'starting' | 'ok' | 'unknown-token' | 'refused' | 'blocked' | 'offline' | 'ended' | 'signed-out';
export type EndReason = 'logout' | 'expired' | 'revoked' | 'evicted' | 'user_deleted' | 'password_changed';
export type Status = 'available' | 'busy' | 'away';

/** The data attributes of heartbeat.js, which its source explains. */
export interface HeartbeatOptions {
  tokenFrom?: string;
  token?: string;
  renew?: string;
  /** Asked for the token, '' for nobody; in place of renew. */
  identify?: () => Promise<string>;
  endpoint?: string;
  cookies?: boolean;
  page?: string;
  pageMask?: string;
  notices?: 'off';
  live?: boolean;
  debug?: boolean;
}

export interface Rollcall {
  readonly state: State;
  setPage(path: string): void;
  beat(): void;
  stop(): void;
  identify(ask: () => Promise<string>): void;
  renew(): void;
  setStatus(status: Status, text?: string, duration?: { minutes?: number; until?: Date }): Promise<unknown>;
}

export interface Notice {
  id: string;
  message: string;
  level: 'info' | 'warning' | 'critical';
}

export interface Counts {
  available: number;
  busy: number;
  away: number;
}

export type Level = 'clear' | 'caution' | 'hold';

export function heartbeat(server: string | URL, options?: HeartbeatOptions): Promise<Rollcall>;
export function panel(server: string | URL): Promise<void>;
export function badge(server: string | URL): Promise<void>;

/** The attributes of both elements, which are properties too. */
export interface ElementAttributes {
  src?: string;
  token?: string | null;
  refresh?: number | string;
  theme?: 'light' | 'dark';
}

/** An element of Rollcall; refresh() has its list read again now. */
export interface RollcallElement extends HTMLElement {
  src: string | null;
  token: string | null;
  theme: string | null;
  readonly refresh: () => Promise<void> | undefined;
}

interface HostAttributes extends ElementAttributes {
  id?: string;
  class?: string;
  className?: string;
  style?: unknown;
  slot?: string;
  hidden?: boolean;
  children?: unknown;
  key?: string | number | null;
  ref?: unknown;
}

/** For JSX. React 19: declare module 'react' { namespace JSX { interface IntrinsicElements extends RollcallElements {} } } */
export interface RollcallElements {
  'online-users-panel': HostAttributes;
  'online-users-badge': HostAttributes;
}

declare global {
  interface Window {
    rollcall?: Rollcall;
  }
  interface HTMLElementTagNameMap {
    'online-users-panel': RollcallElement;
    'online-users-badge': RollcallElement;
  }
  interface DocumentEventMap {
    'rollcall:state': CustomEvent<{ state: State }>;
    'rollcall:notices': CustomEvent<{ notices: Notice[] }>;
    'rollcall:ended': CustomEvent<{ reason: EndReason }>;
  }
  interface HTMLElementEventMap {
    'rollcall:updated': CustomEvent<{ count: number; counts: Counts; level: Level; all?: boolean }>;
    'rollcall:unauthenticated': CustomEvent<undefined>;
  }
  namespace JSX {
    interface IntrinsicElements extends RollcallElements {}
  }
}
