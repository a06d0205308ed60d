// The page Now: the panel's element does the work; the title says how many, for people
// who keep the page in a tab in the background.
import { signedIn } from './session.js';

document.addEventListener('rollcall:updated', (event) => {
  document.title = `(${event.detail.count}) Rollcall`;
});

signedIn();
