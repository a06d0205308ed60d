// A question above the page, which is gone once it is closed. The focus goes back to where it was.
import { h } from './dom.js';

// title is the id of the element that says what it is about.
export function openModal(title, ...content) {
  const back = document.activeElement;
  const dialog = h('dialog', { class: 'modal', 'aria-labelledby': title, close: () => {
    dialog.remove();
    if (back.isConnected) back.focus();
  } }, ...content);
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
