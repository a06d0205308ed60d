// What is shown once, to be copied: a new key, a link.
import { copyButton } from './copy.js';
import { h } from './dom.js';

// Shows text in box below its title and what to do with it.
export function showSecret(box, title, words, text) {
  box.hidden = false;
  box.className = 'message good secret';
  box.replaceChildren(h('p', {}, h('strong', {}, `${title} `), words), h('div', { class: 'line' }, h('code', { 'data-secret': '' }, text), copyButton(() => text)));
}
