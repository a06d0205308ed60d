// What a page shows is a part of its address, so that a view can be kept and sent to somebody.

export const here = () => new URLSearchParams(location.search);

// The query with these parameters changed; an empty one is taken out.
export function changedQuery(changes) {
  const changed = here();
  for (const [name, value] of Object.entries(changes)) {
    if (value) changed.set(name, value);
    else changed.delete(name);
  }
  return changed;
}

export function visit(page, changed) {
  history.pushState(null, '', `${page}${changed.size ? `?${changed}` : ''}`);
}
