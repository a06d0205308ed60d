// The levels of a notice, in words and by a mark.
import { icon } from './dom.js';

export const LEVELS = { info: 'Notice', warning: 'Warning', critical: 'Urgent' };

// Told apart by their outline too: a circle, a triangle, an octagon.
const SHAPES = {
  info: 'M12 2a10 10 0 1 0 0 20a10 10 0 1 0 0-20M12 11v6M12 7v0',
  warning: 'M12 3L22 20H2ZM12 10v4M12 17v0',
  critical: 'M8 2H16L22 8V16L16 22H8L2 16V8ZM12 7v6M12 17v0',
};

export const levelMark = (level) => icon(SHAPES[level] || SHAPES.info, { class: 'level' }, 24);
