// The status of whoever looks at the panel, on the button that changes it.
import { button } from '../../lib/dom.js';
import { claimText, statusMark } from '../../lib/status.js';

export class OwnStatus {
  user; // who looks; undefined while that is not known, and for a key, which is no person
  #server;
  #asked;

  constructor(open) {
    this.button = button('', open, { class: 'mine', part: 'status', 'aria-haspopup': 'dialog', hidden: true });
  }

  forget() {
    this.user = this.#server = this.#asked = undefined;
    this.button.hidden = true;
  }

  // Who asks that server. Asks it once, unless again.
  me(server, again) {
    if (server.token?.startsWith('rck_')) return Promise.resolve();
    if (server !== this.#server || again) this.#asked = undefined;
    this.#server = server;
    this.#asked ??= server.ask('auth/me').then(
      (answer) => ({ ...answer, ...answer.user }),
      () => (this.#asked = undefined),
    );
    return this.#asked;
  }

  async show(server, again) {
    const user = await this.me(server, again);
    if (!user || server !== this.#server) return;
    this.user = user;
    this.button.dataset.status = user.status;
    this.button.title = claimText(user);
    this.button.replaceChildren(...(user.status === 'available' ? ['Set status'] : statusMark(user.status)));
    this.button.hidden = false;
  }
}
