// The fields of a filter form that offer the apps and organizations there are.
import { ask } from './api.js';
import { h } from './dom.js';

// Sets a field to a value, which becomes one of its choices if it is none.
export function choose(field, value) {
  if (field.tagName === 'SELECT' && value) offer(field, [value]);
  field.value = value;
}

// Offers what is in use now.
export async function fillChoices(form) {
  try {
    const { apps, more_apps, organizations, more_organizations } = await ask('GET', 'admin/stats');
    offer(form.elements.app, apps.map((one) => one.app));
    tellOfMore(form.elements.app, more_apps);
    offer(form.elements.organization, organizations.map((one) => one.organization_name));
    tellOfMore(form.elements.organization, more_organizations);
  } catch {
    // The page says what is wrong; the fields still take what the address says.
  }
}

function offer(field, names) {
  const known = [...field.options].map((option) => option.value);
  field.append(...names.filter((name) => name && !known.includes(name)).map((name) => h('option', { value: name }, name)));
}

// Where there are very many, the address of the page takes the others.
function tellOfMore(field, count) {
  if (count > 0) field.append(h('option', { disabled: true }, `and ${count} more: name one in the address`));
}
