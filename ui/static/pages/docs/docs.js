// The page docs: one proxy at a time, copy buttons, and this server's own names in the examples, as
// far as the address of the page tells them.
import { baseAddress } from '../../lib/api.js';
import { copyButton } from '../../lib/copy.js';
import { tabs } from '../../lib/tabs.js';

const here = new URL(baseAddress());
const local = /^(localhost|127\.[\d.]+|\[::1\])$/.test(here.hostname);
const named = !local && !/^[\d.]+$|^\[/.test(here.hostname);

// Opened on the machine itself, the page is where the proxy connects to; under a name,
// it is behind the proxy.
function filled(text) {
  if (local) text = text.replaceAll('127.0.0.1:8080', here.host);
  if (named) text = text.replaceAll(/\b(rollcall|intranet)\.example\b/g, here.hostname);
  const base = here.pathname.replace(/\/$/, '');
  return base ? text.replaceAll(/\/rollcall(?![\w.-])/g, base) : text;
}

for (const code of document.querySelectorAll('pre code')) {
  code.textContent = filled(code.textContent);
  code.closest('.block').querySelector('.block-head').append(copyButton(() => code.textContent));
}

const sections = [...document.querySelectorAll('[data-proxy]')];
const items = sections.map((section) => ({ id: section.dataset.proxy, name: section.querySelector('[data-name]').textContent }));
const list = document.querySelector('[data-tabs]');
const panel = document.querySelector('[data-proxies]');
panel.setAttribute('role', 'tabpanel');
for (const name of panel.querySelectorAll('[data-name]')) name.hidden = true; // the tab says it
tabs(list, panel, items, ({ id }) => {
  for (const section of sections) section.hidden = section.dataset.proxy !== id;
});
list.hidden = false;
