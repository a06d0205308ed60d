// How many people were online over time, as a drawing. For keyboards and screen readers it is a
// slider that goes from point to point.
import { h, svg } from '../../lib/dom.js';
import { peopleAxis, timeTicks } from './scale.js';
import { instant, people, span } from './words.js';

const HEIGHT = 240;
const MARGIN = { top: 12, right: 8, bottom: 28, left: 36 };
const BOTTOM = HEIGHT - MARGIN.bottom;
const ROOM = 56; // px for the word in a gap

export class Timeline {
  // chosen is called with the instant that is asked about.
  constructor(chosen) {
    this.chosen = chosen;
    this.drawing = svg('svg', { height: HEIGHT, 'aria-hidden': 'true' });
    this.tip = h('div', { class: 'tip', 'aria-hidden': 'true', hidden: true });
    this.slider = h('div', {
      class: 'plot', role: 'slider', tabindex: '0', 'aria-label': 'People online over time', 'aria-describedby': 'plot-keys', 'aria-orientation': 'horizontal',
      pointermove: (event) => this.point(event), pointerleave: () => this.leave(), click: (event) => this.pick(event),
      keydown: (event) => this.press(event), focus: () => this.read(this.at ?? this.points.length - 1), blur: () => this.leave(),
    }, this.drawing, this.tip);
    this.element = h('div', {}, this.slider, h('p', { class: 'sr-only', id: 'plot-keys' }, 'Arrow keys go from point to point. Enter shows who was on.'), h('div', { class: 'sr-only' }, (this.table = h('table'))));
    new ResizeObserver(() => this.points && this.draw()).observe(this.slider);
  }

  show({ points, from, to, step_ms: step }) {
    Object.assign(this, { points, from: Date.parse(from), to: Date.parse(to), step });
    this.times = points.map((point) => Date.parse(point.at));
    this.most = Math.max(0, ...points.map((point) => point.people || 0));
    this.at = this.at === undefined ? undefined : Math.min(this.at, points.length - 1);
    this.slider.ariaValueMin = 0;
    this.slider.ariaValueMax = Math.max(points.length - 1, 0);
    this.say(this.at ?? points.length - 1);
    this.list();
    this.draw();
  }

  // ---- the drawing ----

  draw() {
    const width = this.slider.clientWidth;
    if (!width) return;
    this.width = width;
    const levels = peopleAxis(this.most);
    this.x = (time) => MARGIN.left + ((time - this.from) / (this.to - this.from)) * (width - MARGIN.left - MARGIN.right);
    this.y = (count) => BOTTOM - (count / levels.at(-1)) * (BOTTOM - MARGIN.top);
    this.cursor = svg('g', { class: 'cursor', visibility: 'hidden' },
      svg('line', { y1: MARGIN.top, y2: BOTTOM }), svg('circle', { r: 4 }));
    const runs = this.runs();
    this.drawing.setAttribute('width', width);
    this.drawing.setAttribute('viewBox', `0 0 ${width} ${HEIGHT}`);
    this.drawing.replaceChildren(
      svg('defs', {}, svg('pattern', { id: 'hatch', width: 6, height: 6, patternUnits: 'userSpaceOnUse', patternTransform: 'rotate(45)' }, svg('line', { y2: 6 }))),
      ...levels.map((count) => this.level(count)),
      ...timeTicks(this.from, this.to, width).map(([time, words]) => this.tick(time, words)),
      ...runs.filter((run) => run.unknown).map((run) => this.gap(run)),
      ...runs.filter((run) => !run.unknown).flatMap((run) => this.area(run)),
      this.cursor);
    if (!this.tip.hidden) this.read(this.at);
  }

  // Points in a row that are known, or are not.
  runs() {
    const runs = [];
    this.points.forEach((point, i) => {
      const unknown = point.people === null;
      if (runs.at(-1)?.unknown !== unknown) runs.push({ unknown, first: i });
      runs.at(-1).last = i;
    });
    return runs;
  }

  level(count) {
    return svg('g', { class: 'level' },
      svg('line', { x1: MARGIN.left, x2: this.width - MARGIN.right, y1: this.y(count), y2: this.y(count) }),
      svg('text', { x: MARGIN.left - 8, y: this.y(count) + 4, 'text-anchor': 'end' }, count.toLocaleString()));
  }

  tick(time, words) {
    const x = this.x(time);
    return svg('g', { class: 'time' },
      svg('line', { x1: x, x2: x, y1: BOTTOM, y2: BOTTOM + 5 }),
      svg('text', { x, y: BOTTOM + 20, 'text-anchor': 'middle' }, words));
  }

  gap({ first, last }) {
    const from = this.x(this.times[first]);
    const to = Math.max(this.x(Math.min(this.times[last] + this.step, this.to)), from + 3); // however short
    const place = { x: from, y: MARGIN.top, width: to - from, height: BOTTOM - MARGIN.top };
    return svg('g', { class: 'gap' }, svg('rect', place), svg('rect', { ...place, fill: 'url(#hatch)' }),
      to - from < ROOM ? '' : svg('text', { x: (from + to) / 2, y: (BOTTOM + MARGIN.top) / 2 + 4, 'text-anchor': 'middle' }, 'unknown'));
  }

  area({ first, last }) {
    const steps = [];
    for (let i = first; i <= last; i += 1) {
      const y = this.y(this.points[i].people).toFixed(1);
      steps.push(`${this.x(this.times[i]).toFixed(1)} ${y}`, `${this.x(Math.min(this.times[i] + this.step, this.to)).toFixed(1)} ${y}`);
    }
    const line = `M${steps.join('L')}`;
    const end = this.x(Math.min(this.times[last] + this.step, this.to)).toFixed(1);
    return [svg('path', { class: 'fill', d: `${line}L${end} ${BOTTOM}L${this.x(this.times[first]).toFixed(1)} ${BOTTOM}Z` }), svg('path', { class: 'line', d: line })];
  }

  // ---- reading it ----

  // The time under the pointer, on the grid of the samples.
  timeAt(event) {
    const inside = this.width - MARGIN.left - MARGIN.right;
    const part = (event.clientX - this.slider.getBoundingClientRect().left - MARGIN.left) / inside;
    return this.from + Math.min(Math.max(part, 0), 1) * (this.to - this.from);
  }

  point(event) {
    if (this.points.length) this.read(Math.min(Math.floor((this.timeAt(event) - this.from) / this.step), this.points.length - 1));
  }

  pick(event) {
    const grid = 300000;
    const last = this.times.at(-1) + this.step - 1;
    if (this.points.length) this.chosen(Math.floor(Math.min(this.timeAt(event), last) / grid) * grid);
  }

  press(event) {
    const page = Math.ceil(this.points.length / 12);
    const last = this.points.length - 1;
    const at = this.at ?? last;
    const to = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, PageDown: at - page, PageUp: at + page, Home: 0, End: last }[event.key];
    if (event.key === 'Enter' || event.key === ' ') this.chosen(this.times[at]);
    else if (to === undefined) return;
    else this.read(Math.min(Math.max(to, 0), last));
    event.preventDefault();
  }

  read(i) {
    if (!(i >= 0) || !this.x) return;
    this.at = i;
    this.say(i);
    const count = this.points[i].people;
    const x = this.x(Math.min(this.times[i] + this.step / 2, this.to));
    const [line, dot] = this.cursor.children;
    line.setAttribute('x1', x);
    line.setAttribute('x2', x);
    dot.setAttribute('cx', x);
    dot.setAttribute('cy', this.y(count || 0));
    dot.setAttribute('visibility', count === null ? 'hidden' : 'inherit');
    this.cursor.setAttribute('visibility', 'visible');
    this.tip.replaceChildren(h('strong', {}, people(count)), h('span', {}, span(this.times[i], this.step)));
    this.tip.hidden = false;
    const half = this.tip.offsetWidth / 2;
    this.tip.style.left = `${Math.min(Math.max(x, half + 4), this.width - half - 4)}px`;
  }

  leave() {
    if (this.slider.matches(':focus-visible')) return;
    this.tip.hidden = true;
    this.cursor?.setAttribute('visibility', 'hidden');
  }

  say(i) {
    this.slider.ariaValueNow = Math.max(i, 0);
    this.slider.ariaValueText = this.points[i] ? `${span(this.times[i], this.step)}: ${people(this.points[i].people)}` : 'No points';
  }

  // The same as a table of at most some dozens of rows, for screen readers.
  list() {
    const rows = [];
    const every = Math.max(1, Math.ceil(this.points.length / 31));
    for (let i = 0; i < this.points.length; i += every) {
      const known = this.points.slice(i, i + every).map((point) => point.people).filter((count) => count !== null);
      rows.push(h('tr', {}, h('th', { scope: 'row' }, instant(this.times[i])), h('td', {}, people(known.length ? Math.max(...known) : null))));
    }
    this.table.replaceChildren(h('caption', {}, 'The most people online at once, from each of these times on'), h('tbody', {}, ...rows));
  }
}
