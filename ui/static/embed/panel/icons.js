import { icon } from '../../lib/dom.js';

const PATHS = {
  search: 'M7 12A5 5 0 1 0 7 2a5 5 0 0 0 0 10Zm3.6-1.4L14 14',
  refresh: 'M13.5 8a5.5 5.5 0 1 1-1.6-3.9L13.5 5.7M13.5 2.5v3.2h-3.2',
  filter: 'M2.5 4.5h11M4.5 8h7M6.5 11.5h3',
  warning: 'M8 2.5 14.5 13.5h-13ZM8 6.5v3.2M8 11.6v.1',
  live: 'M9 1.5 3.5 9H8l-1 5.5L12.5 7H8Z',
  poll: 'M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 4.5V8l2.5 1.5',
  person: 'M8 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM2.5 14c.5-3 3-4 5.5-4s5 1 5.5 4',
};

export const iconOf = (name) => icon(PATHS[name]);
