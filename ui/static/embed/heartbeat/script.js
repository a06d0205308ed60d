// The script tag that we come from, and what its attributes say. A module has none.
export const { src, dataset: options } = document.currentScript || { dataset: {} };
export const endpoint = src && new URL('admin/users/heartbeat', src).href;
export const byCookie = options.token === undefined && !options.tokenFrom;
export const credentials = byCookie ? 'same-origin' : 'omit';
export const started = Date.now();

// A sandbox forbids storage and channels; we do without.
export function attempt(action) {
  try {
    return action();
  } catch {
    return undefined;
  }
}

// A module of our own version, by its address at our server.
export const load = (address) => import(new URL(address, src));
