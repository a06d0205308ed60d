// The list of people as the server has it: read from time to time, and kept by the live feed
// in between. It knows no elements.
import { Feed } from '../lib/feed.js';
import { Clock } from '../lib/time.js';

// A cursor is "epoch.number". Numbers of different epochs, as different servers have, can not be compared.
const epoch = ({ cursor }) => cursor?.split('.')[0];
const number = ({ cursor }) => Number(cursor?.split('.')[1]);

export class PeopleList {
  clock = new Clock();
  users = [];
  complete; // all who are online
  loadedAt; // when users was true; undefined before the first answer
  live; // whether the feed flows; undefined before that is known
  failures = 0;
  #page; // what was shown last
  #doubtful; // the feed told what may change how many there are
  #refused; // asking again is of no use until something has changed
  #on;
  #server;
  #size;
  #wanted;
  #asking;
  #askedAt = 0;
  #feed;
  #news = []; // what the feed told and users does not have yet
  #timers = {};

  // on.query() is what is asked: {params, filtered}; on.every(), the ms between two looks; on.news(news, page, wanted),
  // what a page becomes by the feed's news, and whether the server is to be asked: {page, soon, later}.
  // on.read(page) is called with each answer, on.shown(page) also with what the feed told, on.changed(type, user) with each change of the feed; further on.busy(yes), on.modeChanged(),
  // on.failed(refusal), or on.refused(status) where it is of no use to ask again. size is how many people are read at first; with 0
  // only their number.
  constructor(on, size) {
    this.#on = on;
    this.#size = size;
  }

  open(server) {
    this.#unfollow();
    this.#server = server;
    this.load();
  }

  forget() {
    this.#unfollow();
    this.#wanted = this.#size || 1;
    this.users = [];
    this.loadedAt = undefined;
  }

  close() {
    for (const timer of Object.values(this.#timers)) clearTimeout(timer);
    this.#timers = {};
    this.#unfollow();
    this.#asking?.abort();
  }

  // Another question to the same server.
  restart() {
    this.#wanted = this.#size || 1;
    this.load();
  }

  loadMore() {
    this.#wanted = this.users.length + this.#size;
    this.load();
  }

  // ---- reading ----

  // The last question wins; an answer to an older one is dropped.
  async load() {
    this.#asking?.abort();
    clearTimeout(this.#timers.next);
    this.#refused = this.#doubtful = false;
    const { signal } = (this.#asking = new AbortController());
    const { params, filtered } = this.#on.query();
    this.#askedAt = Date.now();
    this.#on.busy?.(true);
    try {
      const page = await this.#server.online(params, this.#wanted, signal);
      if (!signal.aborted) this.#succeed(page, !page.next_cursor && !filtered);
    } catch (refusal) {
      if (!signal.aborted) this.#fail(refusal);
    }
    if (signal.aborted) return;
    this.#asking = undefined;
    this.#on.busy?.(false);
    this.plan();
  }

  // Once in a moment, however often it is called, and at most once a second.
  #scheduleReload(spread = 250) {
    const wait = Math.max(0, this.#askedAt + 1000 - Date.now()) + Math.random() * spread;
    this.#timers.reload ??= setTimeout(() => {
      this.#timers.reload = undefined;
      if (this.#asking) this.#scheduleReload();
      else this.load();
    }, wait);
  }

  // Plans the next look, which a hidden page does not need.
  plan() {
    clearTimeout(this.#timers.next);
    const every = this.#on.every();
    // After failures at a random time, so that a thousand pages do not come back as one.
    const usual = this.#doubtful ? Math.min(every, 10000 * (1 + Math.random())) : every;
    const wait = this.failures ? 200 + Math.random() * Math.min(every, 1000 * 2 ** this.failures) : usual;
    if (!document.hidden && !this.#refused) this.#timers.next = setTimeout(() => this.load(), wait);
    this.#on.modeChanged?.();
  }

  // Whoever has only a cookie may have signed in elsewhere meanwhile.
  visibilityChanged() {
    if (document.hidden) clearTimeout(this.#timers.next);
    else if (!this.#refused || !this.#server.token) this.load();
  }

  #succeed(page, complete) {
    this.failures = 0;
    this.complete = complete;
    this.clock.set(page.timestamp);
    this.#on.read?.(page);
    this.#show(page);
    const foreign = (message) => epoch(message) !== epoch(page);
    if (this.#news.some(foreign)) this.#scheduleReload();
    this.#news = this.#news.filter((message) => foreign(message) || !(number(message) <= number(page)));
    this.#catchUp();
    this.#follow(page.cursor);
  }

  #show(page) {
    this.loadedAt = Date.now();
    this.users = page.users;
    this.#page = page;
    this.#on.shown(page);
  }

  #fail(refusal) {
    const { status } = refusal;
    this.failures++;
    if ([401, 403].includes(status)) return this.#refuse(status);
    if (!status) this.#feed?.reconnect();
    this.#on.failed(refusal);
  }

  #refuse(status) {
    this.#refused = true;
    clearTimeout(this.#timers.reload); // planned when the feed ended, a moment ago
    this.#timers.reload = undefined;
    this.plan();
    this.#on.refused(status);
  }

  // ---- the live feed ----

  #follow(cursor) {
    if (this.#feed) return;
    this.#feed = new Feed(this.#server.base, this.#server.token, {
      heard: (message) => this.#heard(message),
      live: (yes) => this.#flows(yes),
      refused: (status) => this.#refuse(status),
    });
    this.#feed.start(cursor);
  }

  #unfollow() {
    const feed = this.#feed;
    this.#feed = this.live = undefined;
    this.#news = [];
    feed?.stop();
    this.#on.modeChanged?.();
  }

  #flows(yes) {
    if (!this.#feed) return;
    const lost = this.live && !yes;
    this.live = yes;
    this.#on.modeChanged?.();
    // Does the server still answer?
    if (lost && this.loadedAt && !document.hidden) this.#scheduleReload(1000);
  }

  #heard(message) {
    const { type } = message;
    // After a recent look the feed itself tells what came since.
    if (type === 'reset' || (type === 'hello' && Date.now() - this.loadedAt > 2000)) this.#scheduleReload();
    if (!['online', 'updated', 'offline', 'gate'].includes(type)) return;
    this.#news.push(message);
    this.#timers.news ??= setTimeout(() => {
      this.#timers.news = undefined;
      if (!this.#asking) this.#catchUp();
    }, 20);
  }

  #catchUp() {
    const news = this.#news.splice(0);
    if (!news.length || !this.loadedAt) return;
    const { page, soon, later } = this.#on.news(news, this.#page, this.#wanted);
    if (soon) this.#scheduleReload();
    this.#show(page);
    for (const { type, user } of news) if (user) this.#on.changed?.(type, user);
    if (!later || this.#doubtful) return;
    this.#doubtful = true;
    this.plan();
  }
}
