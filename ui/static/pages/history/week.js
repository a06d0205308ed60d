// The week by hour: the more people are online, the darker is a cell of the grid. The cell that is
// pointed at, or has the focus, is put in words below.
import { h } from '../../lib/dom.js';
import { people } from './words.js';

const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];
const LEVELS = 7;
const AVERAGE = new Intl.NumberFormat([], { maximumFractionDigits: 1 });

export class Week {
  constructor() {
    this.cells = Array.from({ length: 168 }, (_, i) => h('td', { role: 'gridcell', tabindex: i ? '-1' : '0' }));
    const hours = Array.from({ length: 24 }, (_, hour) => h('th', { scope: 'col', 'aria-label': `${hour} h` }, hour % 3 ? '' : String(hour)));
    this.grid = h('table', { class: 'heat', role: 'grid', 'aria-labelledby': 'week', 'aria-describedby': 'week-words', keydown: (event) => this.press(event) },
      h('thead', {}, h('tr', {}, h('td', {}), ...hours)),
      h('tbody', {}, ...DAYS.map((day, i) => h('tr', {}, h('th', { scope: 'row', 'aria-label': day }, day.slice(0, 3)), ...this.cells.slice(i * 24, i * 24 + 24)))));
    for (const type of ['pointermove', 'focusin', 'click']) this.grid.addEventListener(type, (event) => this.readOut(this.cells.indexOf(event.target)));
    for (const type of ['pointerleave', 'focusout']) this.grid.addEventListener(type, () => this.resetReadout());
    this.readout = h('p', { class: 'readout', 'aria-hidden': 'true' });
    this.legend = h('p', { class: 'legend', 'aria-hidden': 'true' });
    this.element = h('div', {}, this.grid, h('div', { class: 'beneath' }, this.readout, this.legend));
  }

  show({ cells }) {
    this.figures = cells;
    const most = Math.max(...cells.map((cell) => cell.average));
    cells.forEach((cell, i) => {
      // Level 0 is for nobody only: a single person in a month still has a colour.
      const level = cell.samples === 0 ? 'unknown' : cell.peak === 0 ? 0 : Math.max(1, Math.ceil((cell.average / most) * LEVELS));
      this.cells[i].dataset.level = level;
      this.cells[i].ariaLabel = this.words(i);
    });
    this.legend.replaceChildren('Nobody', ...Array.from({ length: LEVELS + 1 }, (_, level) => h('i', { 'data-level': level })), most ? `${AVERAGE.format(most)} on average` : 'more', h('i', { 'data-level': 'unknown' }), 'Unknown');
    this.resetReadout();
  }

  words(i) {
    const { weekday, hour, average, peak, samples } = this.figures[i];
    const time = `${DAYS[weekday - 1]}s ${String(hour).padStart(2, '0')}:00–${String(hour + 1).padStart(2, '0')}:00`;
    if (!samples) return `${time}: unknown`;
    return peak ? `${time}: ${AVERAGE.format(average)} on average, at most ${people(peak)}` : `${time}: nobody`;
  }

  readOut(i) {
    if (i >= 0 && this.figures) this.readout.textContent = this.words(i);
  }

  resetReadout() {
    const focused = this.cells.indexOf(document.activeElement);
    if (focused >= 0) this.readOut(focused);
    else this.readout.textContent = 'Point at an hour, or go there with the arrow keys.';
  }

  press(event) {
    const at = this.cells.indexOf(document.activeElement);
    const row = at - (at % 24);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - 24, ArrowDown: at + 24, Home: row, End: row + 23 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    if (!this.cells[to]) return;
    this.cells[at].tabIndex = -1;
    this.cells[to].tabIndex = 0;
    this.cells[to].focus();
  }
}
