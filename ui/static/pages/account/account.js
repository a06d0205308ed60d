// The page Account: what people do with their own account.
import { ask } from '../../lib/api.js';
import { at, h } from '../../lib/dom.js';
import { onSubmit, refusalWords } from '../../lib/form.js';
import { passwordField } from '../../lib/password-field.js';
import { signedIn, signOutEverywhere } from '../../lib/session.js';
import { twoFactor } from './totp.js';

const user = await signedIn();
if (user) {
  const form = at('password-form');
  form.append(h('input', { type: 'text', autocomplete: 'username', value: user.name, hidden: true, readonly: true }), // for password managers
    passwordField('Current password', 'current-password', 'current_password'), passwordField('New password', 'new-password', 'password', true),
    h('button', { type: 'submit' }, 'Change password'));
  onSubmit(form, async (change) => {
    at('done').hidden = true;
    await ask('POST', 'auth/password', change);
    form.reset();
    at('done').hidden = false;
  }, refusalWords);
  twoFactor(at('totp'));
  at('places').href = `sessions?${new URLSearchParams({ app: 'rollcall', user: user.id })}`;
  at('action="sign-out-everywhere"').addEventListener('click', signOutEverywhere);
}
