// What a session is used on, as a drawing and in words: {type, os, browser}, '' what is not
// known.
import { icon } from './dom.js';

const DRAWINGS = {
  desktop: 'M2 3h12v8H2zM5.5 13.5h5M8 11v2.5',
  mobile: 'M5 1.5h6v13H5zM7 12.5h2',
  tablet: 'M3 1.5h10v13H3zM7 12.5h2',
  bot: 'M3 6h10v7H3zM8 6V2.5M6 9v1M10 9v1',
};
const UNKNOWN = 'M2 3h12v10H2zM5 8h6';

export function deviceIcon(device) {
  return icon(DRAWINGS[device?.type] || UNKNOWN, { width: 16, height: 16, fill: 'none', stroke: 'currentColor', 'stroke-width': 1.5 });
}

// Such as "Firefox 140 on Windows", '' where nothing is known.
export function deviceWords(device) {
  const { type = '', os = '', browser = '' } = device || {};
  const words = [browser, os].filter(Boolean).join(' on ');
  if (!words) return type && type[0].toUpperCase() + type.slice(1);
  // What the system's name does not tell.
  return type === 'bot' || type === 'tablet' ? `${words} (${type})` : words;
}

export function deviceMark({ device }) {
  const words = deviceWords(device);
  return words ? [deviceIcon(device), words] : ['Unknown device'];
}
