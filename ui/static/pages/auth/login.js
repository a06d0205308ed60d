// The page login: name and password, then a code where the account has an authenticator app; or the one-time
// code of a sign-in link.
import { ask } from '../../lib/api.js';
import { at } from '../../lib/dom.js';
import { onSubmit, refusalWords, showError } from '../../lib/form.js';
import { addReveal } from '../../lib/password-field.js';
import { takeCode } from './one-time-code.js';

// The password waits in this page for the code, and not for longer.
const CODE_TIME_MS = 5 * 60 * 1000;

const form = at('form');
const password = document.querySelector('#password');
const totp = document.querySelector('#totp');

async function signIn(body) {
  await ask('POST', 'auth/login', body);
  location.reload(); // the server leads on to the page that was wanted
}

// A link works once and not for long: its refusal should say what to do instead.
async function signInByCode(code) {
  const status = at('code-status');
  status.hidden = false;
  form.hidden = true;
  try {
    await signIn({ code });
  } catch (refusal) {
    status.hidden = true;
    form.hidden = false;
    const used = refusal.status === 401 || refusal.status === 403;
    showError(used ? 'This sign-in link was used already or has expired. Sign in with your password, or get a new link.' : refusalWords(refusal));
  }
}

const asksForCode = () => !at('code-step').hidden;

function askForCode() {
  at('title').textContent = 'Enter your code';
  at('password-step').hidden = true;
  at('no-account').hidden = true;
  at('code-step').hidden = false;
  totp.required = true;
  totp.focus();
  setTimeout(() => location.reload(), CODE_TIME_MS);
}

// A recovery code has letters, which a keyboard for numbers lacks.
function useRecoveryCode() {
  at('code-label').textContent = 'Recovery code';
  at('code-hint').textContent = 'One of the ten that you were given when you set up the app. Each works once.';
  at('recovery').hidden = true;
  totp.inputMode = 'text';
  totp.autocomplete = 'off';
  totp.value = '';
  totp.focus();
}

function words(refusal) {
  if (refusal.code === 'code_needed') {
    askForCode();
    return '';
  }
  if (asksForCode()) totp.select();
  else if (refusal.code === 'invalid_credentials') password.select();
  return refusalWords(refusal);
}

addReveal(password, at('reveal'));
at('recovery').addEventListener('click', useRecoveryCode);
at('start-over').addEventListener('click', () => location.reload());
onSubmit(form, ({ name, password, totp }) => signIn({ name, password, ...(asksForCode() && { totp }) }), words);

function useLink() {
  if (new URLSearchParams(location.search).has('next')) return; // what is behind the # belongs to that page
  const code = takeCode();
  if (code) signInByCode(code);
}

useLink();
// The link may be opened in a tab that shows this page already.
addEventListener('hashchange', useLink);
