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

// A drawing of one path in a square of size. It says nothing to screen readers.
export function icon(path, size = 16, name = 'icon') {
  return svg('svg', { class: name, viewBox: `0 0 ${size} ${size}`, 'aria-hidden': 'true' }, svg('path', { d: path }));
}

function fill(element, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

// Writes text only where it has changed: lists of hundreds of rows tick every second.
export function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
