// A button that copies a text and says that it did.
import { button, h } from './dom.js';

// text is a function: what is copied may change after the button was made.
export function copyButton(text, label = 'Copy') {
  const copier = button(label, () => copy(copier, text(), label), { class: 'small', 'data-copy': '' });
  return copier;
}

async function copy(button, text, label) {
  const copied = await write(text);
  button.textContent = copied ? 'Copied' : 'Select and copy by hand';
  setTimeout(() => (button.textContent = label), 2000);
}

// navigator.clipboard is missing on plain http, where the older way still works.
async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text).then(() => true, () => false);
  const area = h('textarea', { class: 'sr-only', readonly: true });
  area.value = text;
  document.body.append(area);
  area.select();
  const copied = document.execCommand('copy');
  area.remove();
  return copied;
}
