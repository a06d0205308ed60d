// The page Integrate: a key, the code to paste, and the proof that it works.
import { baseAddress } from '../../lib/api.js';
import { copyButton } from '../../lib/copy.js';
import { h } from '../../lib/dom.js';
import { keyList } from '../../lib/keys.js';
import { signedIn } from '../../lib/session.js';
import { tabs } from '../../lib/tabs.js';
import { firstHeartbeat } from './first-heartbeat.js';
import { snippets } from './snippets.js';

const blocks = document.querySelector('[data-blocks]');
const app = document.querySelector('[data-app]');
const watch = firstHeartbeat(document.querySelector('[data-first-heartbeat]'));
let chosen = 'curl';
let secret;

function block({ title, note, code }) {
  return h('section', { class: 'block', 'data-snippet': '' },
    h('div', { class: 'block-head' }, h('h3', {}, title), copyButton(() => code)),
    ...(note ? [h('p', { class: 'hint' }, note)] : []),
    h('pre', { tabindex: '0' }, h('code', {}, code)));
}

function show(id) {
  chosen = id;
  const item = snippets(baseAddress(), secret).find((tab) => tab.id === id);
  blocks.replaceChildren(...item.blocks.map(block));
}

function wait(name) {
  app.value = name;
  watch(name);
}

function listKeys() {
  keyList(document.querySelector('[data-keys]'), {
    listed(apps) {
      document.querySelector('#apps').replaceChildren(...[...new Set(apps)].map((value) => h('option', { value })));
      if (!app.value && apps.length) wait(apps[apps.length - 1]);
    },
    created(key) {
      secret = key.secret;
      show(chosen);
      wait(key.app);
    },
  });
}

tabs(document.querySelector('[data-tabs]'), blocks, snippets(''), ({ id }) => show(id));
app.addEventListener('change', () => watch(app.value.trim()));
for (const place of document.querySelectorAll('[data-address]')) place.textContent = baseAddress();
document.querySelector('[data-feed-address]').textContent = baseAddress().replace('http', 'ws');

const user = await signedIn();
if (user?.access === 'admin') listKeys();
else document.querySelector('[data-keys]').replaceChildren(h('p', { class: 'empty' }, 'Administrators make and delete keys. Ask one of them for the key of your application.'));
