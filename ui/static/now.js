// The page Now: the panel's element does the work, and the light above it says what that
// means for whoever deploys.
import { gateLight } from './gate.js';
import { signedIn } from './session.js';

const changed = gateLight();
let told = '';
document.addEventListener('rollcall:updated', ({ detail }) => {
  const counts = JSON.stringify(detail.counts);
  if (counts !== told) changed();
  told = counts;
});

signedIn();
