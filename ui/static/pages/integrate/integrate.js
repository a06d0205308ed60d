// The page Integrate: a key, the code to paste, and the proof that it works.
import { baseAddress } from '../../lib/api.js';
import { copyButton } from '../../lib/copy.js';
import { h } from '../../lib/dom.js';
import { keyList } from '../../lib/keys.js';
import { signedIn } from '../../lib/session.js';
import { tabs } from '../../lib/tabs.js';
import { firstHeartbeat } from './first-heartbeat.js';

const blocks = document.querySelector('[data-blocks]');
const app = document.querySelector('[data-app]');
const watch = firstHeartbeat(document.querySelector('[data-first-heartbeat]'));
const frameworks = [...document.querySelectorAll('template[data-framework]')].map((template) => (
  { id: template.dataset.framework, name: template.dataset.name, code: template.content }));
let chosen;
let secret = 'rck_YOUR_KEY'; // as the snippets have it

function show(framework) {
  chosen = framework;
  blocks.replaceChildren(framework.code.cloneNode(true));
  for (const block of blocks.children) {
    const code = block.querySelector('code');
    code.textContent = code.textContent.replaceAll('https://rollcall.example', baseAddress()).replaceAll('rck_YOUR_KEY', secret);
    block.querySelector('.block-head').append(copyButton(() => code.textContent));
  }
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

tabs(document.querySelector('[data-tabs]'), blocks, frameworks, show);
app.addEventListener('change', () => watch(app.value.trim()));
for (const place of document.querySelectorAll('[data-address]')) place.textContent = baseAddress();
document.querySelector('[data-feed-address]').textContent = baseAddress().replace('http', 'ws');

const user = await signedIn();
if (user?.access === 'admin') listKeys();
else document.querySelector('[data-keys]').replaceChildren(h('p', { class: 'empty' }, 'Administrators make and delete keys. Ask one of them for the key of your application.'));
