// The authenticator app of one's own account: added in two steps, and removed.
import { ask } from '../../lib/api.js';
import { copyButton } from '../../lib/copy.js';
import { button, failure, field, h } from '../../lib/dom.js';
import { onSubmit, refusalWords, showError } from '../../lib/form.js';
import { passwordField } from '../../lib/password-field.js';

// Fills box with what there is to do now.
export async function twoFactor(box) {
  showError('', box.closest('section'));
  try {
    const account = await ask('GET', 'auth/account');
    box.replaceChildren(...(account.has_totp ? added(box, account) : absent(box)));
  } catch (refusal) {
    box.replaceChildren(failure('Your account could not be loaded', refusal, () => twoFactor(box)));
  }
}

const codeField = (words, id, props) => field(words, h('input', { id, name: 'totp', type: 'text', required: true, maxlength: '40', autocapitalize: 'none', spellcheck: 'false', autocomplete: 'one-time-code', ...props }));

// With a form of these fields; send is done with what they hold.
function form(name, fields, action, send) {
  const made = h('form', { [`data-${name}`]: true }, ...fields, h('button', { type: 'submit' }, action));
  onSubmit(made, send, refusalWords);
  return made;
}

function absent(box) {
  return [h('p', {}, h('strong', {}, 'Off. '), 'Your password alone signs you in.'),
    form('totp-begin', [passwordField('Current password', 'totp-password', 'password')], 'Set up an app…', async ({ password }) => {
      const secret = await ask('POST', 'auth/totp', { password });
      box.replaceChildren(...scan(box, secret));
      box.querySelector('#totp-code').focus();
    })];
}

function scan(box, { secret, uri, qr_code: image }) {
  const key = secret.replace(/.{4}(?=.)/g, '$& ');
  const confirm = form('totp-confirm', [codeField('The code that it shows', 'totp-code', { inputmode: 'numeric', pattern: '[0-9 ]{6,7}', title: 'Six digits' })], 'Turn on', async ({ totp }) => {
    const { recovery_codes: codes } = await ask('POST', 'auth/totp/confirm', { totp });
    box.replaceChildren(...recovery(box, codes));
  });
  return [h('ol', { class: 'steps' },
    h('li', {}, 'Have the app scan this, or ', h('a', { href: uri }, 'open it in an app on this device'), '.',
      h('img', { class: 'qr', src: image, width: '240', height: '240', alt: 'QR code of the key below' }),
      h('p', { class: 'hint' }, 'Or type the key: ', h('code', { class: 'key', 'data-totp-secret': '' }, key))),
    h('li', {}, 'Turn it on with a first code. You are then signed out everywhere else.', confirm)),
  h('p', {}, button('Cancel', () => twoFactor(box), { class: 'plain small' }))];
}

function recovery(box, codes) {
  return [h('div', { class: 'message good secret', role: 'status' },
    h('p', {}, h('strong', {}, 'Two-factor authentication is on. '), 'Keep these recovery codes where you find them without your phone, such as in your password manager. Each signs you in once. They are not shown again.'),
    h('ul', { class: 'recovery' }, ...codes.map((code) => h('li', {}, h('code', { 'data-recovery-code': '' }, code))))),
  h('div', { class: 'buttons' }, copyButton(() => codes.join('\n')), button('I have kept them', () => twoFactor(box), { class: 'primary small', 'data-kept': '' }))];
}

function added(box, { recovery_codes: left }) {
  const few = left < 3 ? ' Remove the app and set it up again to get new ones.' : '';
  return [h('p', { 'data-totp-on': '' }, h('strong', {}, 'On. '), `${left} of 10 recovery codes are left.${few}`),
    h('details', {}, h('summary', {}, 'Remove the app, or change to another'),
      form('totp-remove', [passwordField('Current password', 'totp-password', 'password'), codeField('Code of the app, or a recovery code', 'totp-code')], 'Remove the app', async (body) => {
        await ask('POST', 'auth/totp/remove', body);
        twoFactor(box);
      }))];
}
