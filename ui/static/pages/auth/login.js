// The page login: name and password, or the one-time code of a sign-in link.
import { ask } from '../../lib/api.js';
import { onSubmit, showError, waitWords } from './form.js';
import { takeCode } from './one-time-code.js';
import { addReveal } from './password.js';

const form = document.querySelector('[data-form]');
const password = document.querySelector('#password');

async function signIn(body) {
  await ask('POST', 'auth/login', body);
  location.reload(); // the server leads on to the page that was wanted
}

function words({ code, message, retryAfter }) {
  if (code === 'invalid_credentials') return 'This name and password do not match an account.';
  if (code === 'too_many_attempts') return `Too many attempts. ${waitWords(retryAfter)}`;
  return message;
}

// A link works once and not for long: its refusal should say what to do instead.
async function signInByCode(code) {
  const status = document.querySelector('[data-code-status]');
  status.hidden = false;
  form.hidden = true;
  try {
    await signIn({ code });
  } catch (refusal) {
    status.hidden = true;
    form.hidden = false;
    const used = refusal.status === 401 || refusal.status === 403;
    showError(used ? 'This sign-in link was used already or has expired. Sign in with your password, or get a new link.' : words(refusal));
  }
}

addReveal(password, document.querySelector('[data-reveal]'));
onSubmit(form, ({ name, password }) => signIn({ name, password }), (refusal) => {
  if (refusal.code === 'invalid_credentials') password.select();
  return words(refusal);
});

function useLink() {
  if (new URLSearchParams(location.search).has('next')) return; // what is behind the # belongs to that page
  const code = takeCode();
  if (code) signInByCode(code);
}

useLink();
// The link may be opened in a tab that shows this page already.
addEventListener('hashchange', useLink);
