import { createApp, h, ref } from 'vue';

const shown = ref(true);
const attributes = ref({ token: window.first, refresh: 3600 });
Object.assign(window, { show: (yes) => (shown.value = yes), set: (now) => (attributes.value = now) });

createApp({
  render() {
    const said = { src: window.server, theme: 'dark', ...attributes.value };
    return shown.value && [h('online-users-panel', said), h('online-users-badge', said)];
  },
}).mount('main');
