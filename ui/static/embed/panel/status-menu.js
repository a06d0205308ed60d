// The menu by which people say what their own status is.
import { button, h, options, put } from '../../lib/dom.js';
import { CHOICES, statusMark } from '../../lib/status.js';
import { until } from '../../lib/time.js';

const LASTS = { 30: '30 minutes', 60: '1 hour', 240: '4 hours', '': 'Until I change it' };
const CLICK_MS = 300; // after which a click is another one than that which closed the menu

export class StatusMenu {
  constructor(panel) {
    this.panel = panel;
    this.choices = CHOICES.map((value) => h('input', { type: 'radio', name: 'status', value, change: () => this.chosen() }));
    this.text = h('input', { id: 'status-text', maxlength: '80', autocomplete: 'off', placeholder: 'Recording a meeting' });
    this.lasts = h('select', { id: 'status-lasts' });
    this.failed = h('p', { class: 'failed', role: 'alert', hidden: true });
    this.save = h('button', { class: 'go', type: 'submit' }, 'Save');
    this.extra = h('div', { class: 'extra' }, h('label', { for: 'status-text' }, 'Doing what?'), this.text, h('label', { for: 'status-lasts' }, 'For how long?'), this.lasts);
    this.element = h('form', { class: 'menu', part: 'status-menu', popover: 'auto', role: 'dialog', 'aria-label': 'Your status', submit: (event) => this.submit(event), beforetoggle: (event) => this.toggling(event), toggle: (event) => this.toggled(event) },
      h('fieldset', {}, h('legend', {}, 'Your status'), ...this.choices.map((choice) => h('label', { class: 'choice', 'data-status': choice.value }, choice, ...statusMark(choice.value)))),
      this.extra, this.failed,
      h('div', { class: 'ending' }, this.save, button('Cancel', () => this.element.hidePopover())));
  }

  // A click on the button closes it first, as every click outside does.
  open() {
    if (this.element.matches(':popover-open')) return this.element.hidePopover();
    if (Date.now() - this.closedAt < CLICK_MS) return;
    const { user } = this.panel.own;
    const claimed = user.status !== 'available';
    const kept = claimed && user.status_until ? { keep: `${until(user.status_until).replace('u', 'U')}, as now` } : {};
    for (const choice of this.choices) choice.checked = choice.value === (claimed ? user.status : 'available');
    this.text.value = (claimed && user.status_text) || '';
    this.lasts.replaceChildren(...options({ ...kept, ...LASTS }));
    this.lasts.value = claimed ? Object.keys(kept)[0] || '' : '60';
    this.failed.hidden = true;
    this.chosen();
    this.element.showPopover();
    this.place();
    this.choices.find((choice) => choice.checked).focus();
  }

  // Below the button, within the window. It scrolls with the page.
  place = () => {
    const anchor = this.panel.own.button.getBoundingClientRect();
    const { style, offsetWidth } = this.element;
    const left = Math.min(anchor.left, document.documentElement.clientWidth - offsetWidth - 8);
    style.top = `${anchor.bottom + scrollY + 4}px`;
    style.left = `${Math.max(8, left) + scrollX}px`;
  };

  toggling({ newState }) {
    if (newState === 'closed') this.closedAt = Date.now();
    this.panel.own.button.ariaExpanded = newState === 'open';
    if (newState === 'open') addEventListener('resize', this.place);
    else removeEventListener('resize', this.place);
  }

  // The browser does not find its way back into the panel.
  toggled({ newState }) {
    const lost = document.activeElement === document.body || this.element.contains(this.panel.root.activeElement);
    if (newState === 'closed' && lost) this.panel.own.button.focus();
  }

  get status() {
    return this.choices.find((choice) => choice.checked).value;
  }

  // Nobody needs to say what they are available with.
  chosen() {
    this.extra.hidden = this.status === 'available';
  }

  async submit(event) {
    event.preventDefault();
    const { status, panel } = this;
    const lasts = this.lasts.value;
    const end = lasts === 'keep' ? { until: panel.own.user.status_until } : lasts ? { for_ms: lasts * 60000 } : {};
    const body = status === 'available' ? { status } : { status, text: this.text.value.trim(), ...end };
    this.save.disabled = true;
    try {
      await panel.server().ask('admin/users/me/status', { method: 'PUT', body });
      this.element.hidePopover();
      await panel.own.show(panel.server(), true);
      panel.refresh();
    } catch (refusal) {
      this.failed.hidden = false;
      put(this.failed, `Not saved: ${refusal.message}`);
    }
    this.save.disabled = false;
  }
}
