// What the forms of login and setup have in common: one submission at a time, and its
// refusal in words.

// Submits form with send; words turns a refusal into a sentence for the person.
export function onSubmit(form, send, words) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('[type="submit"]');
    button.disabled = true;
    showError('');
    try {
      await send(Object.fromEntries(new FormData(form)));
    } catch (refusal) {
      showError(words(refusal));
    }
    button.disabled = false;
  });
}

export function showError(words) {
  const box = document.querySelector('[data-error]');
  box.textContent = words;
  box.hidden = !words;
}

export function waitWords(seconds) {
  if (!seconds) return 'Wait a moment and try again.';
  if (seconds < 60) return `Try again in ${seconds} seconds.`;
  const minutes = Math.ceil(seconds / 60);
  return `Try again in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.`;
}
