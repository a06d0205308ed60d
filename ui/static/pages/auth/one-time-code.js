// One-time codes come behind the # of a link: browsers never send that part anywhere.

// The code of this page's address, which is removed from the address and the history at
// once; "" without one.
export function takeCode() {
  const code = location.hash.slice(1);
  if (location.hash) history.replaceState(null, '', location.pathname + location.search);
  return code;
}
