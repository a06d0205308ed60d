// The page setup: makes the first account, with the code that the server printed.
import { ask } from '../../lib/api.js';
import { onSubmit, refusalWords } from '../../lib/form.js';
import { addLength, addReveal } from '../../lib/password-field.js';
import { takeCode } from './one-time-code.js';

const form = document.querySelector('[data-form]');
const codeField = document.querySelector('[data-code-field]');
const code = document.querySelector('#code');
const password = document.querySelector('#password');

// A code from the link is shown only when it was refused.
function fillCode() {
  const taken = takeCode();
  if (!taken) return;
  code.value = taken;
  codeField.hidden = true;
}

function words(refusal) {
  const kind = refusal.code;
  if (kind === 'wrong_code') {
    codeField.hidden = false;
    code.select();
    return 'The set-up code is not right. The server prints a new one each time it starts.';
  }
  if (kind === 'already_set_up') return 'There is an account already. Go to the sign-in page instead.';
  return refusalWords(refusal);
}

async function create({ code, name, password }) {
  await ask('POST', 'setup', { code: code.trim(), name: name.trim(), password });
  location.replace('./');
}

addReveal(password, document.querySelector('[data-reveal]'));
addLength(password, document.querySelector('[data-length]'), document.querySelector('[data-length-words]'));
onSubmit(form, create, words);
fillCode();
addEventListener('hashchange', fillCode);
document.querySelector(codeField.hidden ? '#name' : '#code').focus();
