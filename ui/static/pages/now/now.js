// The page Now: the panel's element does the work, and the light above it says what that
// means for whoever deploys.
import { gateLight } from '../../lib/gate.js';
import { signedIn } from '../../lib/session.js';

const gate = gateLight();
document.addEventListener('rollcall:updated', ({ detail }) => (detail.all ? gate.showCounts(detail.level, detail.counts) : gate.changed()));

signedIn();
