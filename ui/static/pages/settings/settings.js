// The page Settings: accounts, keys, what may be wrong, what the server was started with, and the audit log.
// All of it is for administrators.
import { at } from '../../lib/dom.js';
import { keyList } from '../../lib/keys.js';
import { signedIn } from '../../lib/session.js';
import { accountList } from './accounts.js';
import { auditLog } from './audit.js';
import { health } from './health.js';
import { settingsTable } from './settings-table.js';

const user = await signedIn();
if (user?.access === 'admin') {
  const log = auditLog(at('audit'));
  accountList(at('accounts'), user, log.load);
  keyList(at('keys'), { changed: log.load });
  health(at('health'));
  settingsTable(at('limits'));
} else {
  at('refused').hidden = false;
  at('sections').hidden = true;
}
