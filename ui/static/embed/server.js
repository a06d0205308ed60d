// The Rollcall server that an element is about, as its attributes src and token say.
import { Refusal, request } from '../lib/api.js';

export class Server {
  constructor(src, token) {
    this.base = new URL(src || '.', document.baseURI).href.replace(/\/?$/, '/');
    this.src = src;
    this.token = token;
  }

  async ask(path, { params = {}, ...options } = {}) {
    const url = new URL(path, this.base);
    // Another origin does not get our cookie: it would refuse.
    if (!this.token && url.origin !== location.origin) throw new Refusal(401);
    for (const [name, value] of Object.entries(params)) if (value) url.searchParams.set(name, value);
    return request(url, { token: this.token, ...options });
  }

  // As many people as are on the screen already, so that a refresh keeps its length.
  async online(params, wanted, signal) {
    const users = [];
    let answer;
    let cursor = '';
    do {
      const limit = Math.min(1000, wanted - users.length);
      answer = await this.ask('admin/users/online', { params: { ...params, limit, cursor }, signal });
      users.push(...answer.users);
      cursor = answer.next_cursor;
    } while (cursor && users.length < wanted);
    return { ...answer, users };
  }
}
