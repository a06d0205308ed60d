// Password fields: a way to look at what was typed, and how long it is.

const SHORTEST = 15;

export function addReveal(input, button) {
  button.addEventListener('click', () => {
    const hidden = input.type === 'password';
    input.type = hidden ? 'text' : 'password';
    button.textContent = hidden ? 'Hide' : 'Show';
    button.setAttribute('aria-pressed', String(hidden));
    input.focus();
  });
  // Password managers offer to remember password fields only.
  input.form.addEventListener('submit', () => (input.type = 'password'), { capture: true });
}

// Length is what makes a password strong, so length is what is shown.
export function addLength(input, meter, words) {
  const first = words.textContent;
  input.addEventListener('input', () => {
    const length = [...input.value].length;
    meter.value = Math.min(length, meter.max);
    words.textContent = length ? lengthWords(length) : first;
  });
}

function lengthWords(length) {
  if (length < SHORTEST) return `${length} of at least ${SHORTEST} characters.`;
  if (length < 20) return `${length} characters: good. Longer is stronger.`;
  return `${length} characters: strong.`;
}
