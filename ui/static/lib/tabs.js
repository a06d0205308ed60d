// Tabs as the ARIA practices want them: arrow keys move, only the chosen one is in the
// tab order.
import { button } from './dom.js';

// Builds the tabs of items {id, name} into list; choose is called with the item.
export function tabs(list, panel, items, choose) {
  const buttons = items.map((item) => button(item.name, () => select(item), { role: 'tab', id: `tab-${item.id}`, 'data-tab': item.id, 'aria-controls': panel.id }));

  function select(item) {
    buttons.forEach((tab, i) => {
      tab.setAttribute('aria-selected', String(items[i] === item));
      tab.tabIndex = items[i] === item ? 0 : -1;
    });
    panel.setAttribute('aria-labelledby', `tab-${item.id}`);
    choose(item);
  }

  list.addEventListener('keydown', (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (buttons.indexOf(document.activeElement) + step + items.length) % items.length;
    select(items[next]);
    buttons[next].focus();
  });
  list.replaceChildren(...buttons);
  select(items[0]);
}
