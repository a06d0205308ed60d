// A list of things that are made by a form and deleted one by one, each after a second
// click: keys, accounts.
import { ask } from './api.js';
import { button, failure, h } from './dom.js';

// Fills box for things of one kind.
//
// one, path    what it is called, and where the API has them: GET, POST, and DELETE path/ID
// of           a thing in words, after "the key" or the like
// columns      heading: (thing) => what its cell holds; the first cell says which it is
// fields       of the form; action, the words of its button; body, what a FormData of it means to the API
// empty        the words without any of them
// option       what else may be chosen when one is deleted: (thing) => promise of {element, query}, the element to show and what it adds to the address
// also         elements before that button, for what else can be done with a thing
// keeps        what stands in place of the button, for a thing that can not be deleted
// listed       called with all of them; created with what the API said of a new one, and all of its answer; changed after one was made or deleted
export function crudList(box, { one, path, of, columns, fields, action, body, empty, option = () => ({}), also = () => [], keeps = () => '', listed = () => {}, created = () => {}, changed = () => {} }) {
  const error = h('p', { class: 'message bad', role: 'alert', hidden: true });
  const table = h('div', { class: 'manage', 'aria-busy': 'true' }, h('p', { class: 'muted' }, 'Loading…'));
  const submit = h('button', { type: 'submit', class: 'primary' }, action);
  const form = h('form', { class: 'new', [`data-new-${one}-form`]: true, submit: create }, ...fields, submit);
  box.replaceChildren(form, error, table);
  load();
  return { after: (element) => error.after(element), load, fail };

  function fail(refusal, words) {
    error.textContent = refusal ? `${words}: ${refusal.message}` : '';
    error.hidden = !refusal;
  }

  async function load() {
    try {
      const things = (await ask('GET', path))[`${one}s`];
      show(things);
      listed(things);
    } catch (refusal) {
      table.replaceChildren(failure(`The ${one}s could not be loaded`, refusal, load));
    }
    table.setAttribute('aria-busy', 'false');
  }

  function show(things) {
    if (!things.length) return table.replaceChildren(h('p', { class: 'empty' }, empty));
    const head = h('tr', {}, ...Object.keys(columns).map((text) => h('th', { scope: 'col' }, text)), h('td'));
    table.replaceChildren(h('table', {}, h('thead', {}, head), h('tbody', {}, ...things.map(row))));
  }

  function row(thing) {
    const [first, ...others] = Object.values(columns).map((cell) => cell(thing));
    return h('tr', { [`data-${one}-id`]: thing.id }, h('td', { class: 'first', title: first.title ?? first }, first), ...others.map((words) => h('td', {}, words)), actions(thing));
  }

  function actions(thing) {
    const remove = button('Delete', confirm, { class: 'plain small danger', 'data-action': `delete-${one}`, 'aria-label': `Delete the ${one} ${of(thing)}` });
    const usual = keeps(thing) ? [keeps(thing)] : [...also(thing), remove];
    const cell = h('td', { class: 'actions' }, ...usual);

    async function confirm() {
      remove.disabled = true;
      const { element, query = () => '' } = await option(thing);
      remove.disabled = false;
      const yes = button('Delete for good', () => drop(thing, yes, query()), { class: 'small danger', 'data-action': 'confirm-delete' });
      const no = button('Keep', () => (cell.replaceChildren(...usual), remove.focus()), { class: 'small' });
      cell.replaceChildren(...(element ? [element] : []), yes, no);
      no.focus();
    }

    return cell;
  }

  async function drop(thing, yes, query) {
    yes.disabled = true;
    fail();
    try {
      await ask('DELETE', `${path}/${encodeURIComponent(thing.id)}${query}`);
      changed();
    } catch (refusal) {
      fail(refusal, `The ${one} ${of(thing)} was not deleted`);
    }
    load();
  }

  async function create(event) {
    event.preventDefault();
    submit.disabled = true;
    fail();
    try {
      const answer = await ask('POST', path, body(new FormData(form)));
      created(answer[one], answer);
      changed();
      form.reset();
      load();
    } catch (refusal) {
      fail(refusal, `No ${one} was made`);
    }
    submit.disabled = false;
  }
}
