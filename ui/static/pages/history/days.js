// The most people at once and the different people of each day, as small bars. To a screen
// reader they are a list of sentences.
import { h } from '../../lib/dom.js';
import { dayWords, people } from './words.js';

export class Days {
  constructor() {
    this.bars = h('ol', { class: 'bars' });
    for (const type of ['pointerover', 'click']) this.bars.addEventListener(type, (event) => this.readOut(event.target.closest('li')));
    this.bars.addEventListener('pointerleave', () => this.resetReadout());
    this.readout = h('p', { class: 'readout', 'aria-hidden': 'true' });
    this.element = h('div', {}, this.bars,
      h('div', { class: 'beneath' }, this.readout, h('p', { class: 'legend', 'aria-hidden': 'true' }, h('i', { class: 'peak' }), 'most at once', h('i', { class: 'visitors' }), 'different people')));
  }

  show(days) {
    const most = Math.max(1, ...days.map((day) => Math.max(day.peak, day.visitors || 0)));
    this.bars.replaceChildren(...days.map((day) => {
      const bar = h('li', {}, h('span', { class: 'sr-only' }, this.words(day)), h('i', { class: 'visitors' }), h('i', { class: 'peak' }));
      const [, visitors, peak] = bar.children;
      visitors.style.height = `${((day.visitors || 0) / most) * 100}%`;
      peak.style.height = `${(day.peak / most) * 100}%`;
      return bar;
    }));
    this.resetReadout();
  }

  words(day) {
    const peak = day.peak ? `at most ${people(day.peak)} at once` : 'nobody at the counts';
    const visitors = day.visitors ? `, ${day.visitors.toLocaleString()} in all` : '';
    return `${dayWords(day.day)}: ${day.peak || visitors ? peak : 'nobody'}${visitors}`;
  }

  readOut(bar) {
    if (!bar) return;
    for (const one of this.bars.children) one.classList.toggle('read', one === bar);
    this.readout.textContent = bar.firstElementChild.textContent;
  }

  resetReadout() {
    const last = this.bars.lastElementChild;
    if (last) this.readOut(last);
    last?.classList.remove('read');
  }
}
