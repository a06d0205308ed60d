// Elements and drawings without markup in strings. Text goes in as text nodes only, so
// nothing that a stranger typed can become markup.

// An element with its attributes, listeners (properties that are functions) and children.
// Properties and children that are undefined are left out.
export function h(tag, props, ...children) {
  return fill(document.createElement(tag), props, children);
}

// The same for a drawing.
export function svg(tag, props, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), props, children);
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

// A drawing of one path in a square. Screen readers pass over it: words beside it say the same.
export function icon(path, props, size = 16) {
  return svg('svg', { class: 'icon', viewBox: `0 0 ${size} ${size}`, 'aria-hidden': 'true', ...props }, svg('path', { d: path }));
}

export function button(words, click, props) {
  return h('button', { type: 'button', ...props, click }, words);
}

// What stands beside an error that may pass.
export const tryAgain = (click) => button('Try again', click, { class: 'small' });

// The words of an error, with what may mend it.
export function failure(words, { message }, again) {
  return h('p', { class: 'message bad', role: 'alert' }, `${words}: ${message} `, tryAgain(again));
}

// Choices {value: words} of a select.
export const options = (words) => Object.entries(words).map(([value, text]) => h('option', { value }, text));

// A field of a form with its label.
export function field(words, input) {
  return h('div', { class: 'field' }, h('label', { for: input.id }, words), input);
}

// The element of the page that has this data attribute.
export const at = (name) => document.querySelector(`[data-${name}]`);

// Writes text only where it has changed: lists of hundreds of rows tick every second.
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// For text that may be cut off.
export function putLong(element, text) {
  put(element, text);
  if (element.title !== text) element.title = text;
}
