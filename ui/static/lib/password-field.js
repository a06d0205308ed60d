// Password fields: a way to look at what was typed, and how long it is.

import { h } from './dom.js';

const SHORTEST = 15;

export function addReveal(input, button) {
  button.addEventListener('click', () => {
    const hidden = input.type === 'password';
    input.type = hidden ? 'text' : 'password';
    button.textContent = hidden ? 'Hide' : 'Show';
    button.setAttribute('aria-pressed', String(hidden));
    input.focus();
  });
  // Password managers offer to remember password fields only.
  document.addEventListener('submit', (event) => event.target === input.form && (input.type = 'password'), { capture: true });
}

// Length is what makes a password strong, so length is what is shown.
export function addLength(input, meter, words) {
  const first = words.textContent;
  input.addEventListener('input', () => {
    const length = [...input.value].length;
    meter.value = Math.min(length, meter.max);
    words.textContent = length ? lengthWords(length) : first;
  });
}

function lengthWords(length) {
  if (length < SHORTEST) return `${length} of at least ${SHORTEST} characters.`;
  if (length < 20) return `${length} characters: good. Longer is stronger.`;
  return `${length} characters: strong.`;
}

// A field for a password with its label. A new one gets a meter and a hint of its length.
export function passwordField(words, id, name, isNew) {
  const input = h('input', { id, name, type: 'password', autocomplete: isNew ? 'new-password' : 'current-password', minlength: isNew ? String(SHORTEST) : undefined, maxlength: '1000', required: true, 'aria-describedby': isNew ? `${id}-hint` : undefined });
  const reveal = h('button', { class: 'plain small', type: 'button', 'aria-controls': id, 'aria-pressed': 'false' }, 'Show');
  const field = h('div', { class: 'field' }, h('label', { for: id }, words), h('div', { class: 'password' }, input, reveal));
  if (isNew) {
    const meter = h('meter', { class: 'length', min: '0', max: '24', low: '15', high: '20', optimum: '24', value: '0', 'aria-hidden': 'true' });
    const hint = h('p', { class: 'hint', id: `${id}-hint`, 'aria-live': 'polite' }, `At least ${SHORTEST} characters. Four or five unrelated words are strong and easy to remember.`);
    field.append(meter, hint);
    addLength(input, meter, hint);
  }
  addReveal(input, reveal);
  return field;
}
