// The page Settings: accounts, keys, what may be wrong, what the server was started with, and the audit log.
// All of it is for administrators.
import { keyManager } from '../../lib/keys.js';
import { signedIn } from '../../lib/session.js';
import { accountManager } from './accounts.js';
import { auditLog } from './audit.js';
import { health } from './health.js';
import { rules } from './settings-table.js';

const at = (name) => document.querySelector(`[data-${name}]`);

const user = await signedIn();
if (user?.access === 'admin') {
  const log = auditLog(at('audit'));
  accountManager(at('accounts'), user, log.load);
  keyManager(at('keys'), { changed: log.load });
  health(at('health'));
  rules(at('limits'));
} else {
  at('refused').hidden = false;
  at('sections').hidden = true;
}
