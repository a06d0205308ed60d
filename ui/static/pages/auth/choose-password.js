// The page password: whoever has a link chooses the password of the account that it is for, once.
import { ask } from '../../lib/api.js';
import { at, h } from '../../lib/dom.js';
import { onSubmit, refusalWords, showError } from '../../lib/form.js';
import { passwordField } from '../../lib/password-field.js';
import { takeCode } from './one-time-code.js';

let secret = '';

function say(title, about, links = {}) {
  at('title').textContent = title;
  at('about').textContent = about;
  at('form').hidden = true;
  at('links').replaceChildren(...Object.entries(links).map(([href, words]) => h('a', { href }, words)));
  at('links').hidden = !at('links').children.length;
}

// One page for all links that do not work: which of the reasons it is, nobody learns.
function gone() {
  say('This link does not work', 'It was used already, has expired or was withdrawn. Ask an administrator for a new one.', { login: 'Sign in instead' });
}

async function look() {
  showError('');
  secret = takeCode();
  if (!secret) return say('Open your link again', 'This page needs the whole link that an administrator gave you.', { login: 'Sign in instead' });
  try {
    const { name, has_password: known } = await ask('POST', 'auth/link', { secret });
    say(known ? 'Choose a new password' : 'Welcome to Rollcall', known ? 'The old one stops working, and you are signed out everywhere.' : 'You are invited. Choose the password with which you will sign in: nobody else sees it.');
    document.querySelector('#name').value = name;
    at('form').hidden = false;
    document.querySelector('#password').focus();
  } catch (refusal) {
    if (refusal.code === 'link_gone') return gone();
    say('Choose a password', '', {});
    showError(`${refusalWords(refusal)} Then open the link again.`);
  }
}

async function choose({ password }) {
  const { signed_in: signedIn } = await ask('POST', 'auth/link/password', { secret, password });
  secret = '';
  if (!signedIn) return say('Your password is set', 'Sign in with it and with a code of your authenticator app.', { login: 'Sign in' });
  say('Your password is set', 'You are signed in.', { './': 'See who is online', account: 'Set up two-factor authentication' });
}

at('password').replaceWith(passwordField('Password', 'password', 'password', true));
onSubmit(at('form'), choose, (refusal) => (refusal.code === 'link_gone' ? (gone(), '') : refusalWords(refusal)));
look();
// Another link may be opened in a tab that shows this page already.
addEventListener('hashchange', () => location.hash && look());
