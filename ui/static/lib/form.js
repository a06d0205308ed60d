// Forms that are sent by a script: one submission at a time, and its refusal in words.

// Submits form with send; words turns a refusal into a sentence for the person, which stands in the nearest place for errors.
export function onSubmit(form, send, words) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('[type="submit"]');
    const place = form.closest('section, main');
    button.disabled = true;
    showError('', place);
    try {
      await send(Object.fromEntries(new FormData(form)));
    } catch (refusal) {
      showError(words(refusal), place);
    }
    button.disabled = false;
  });
}

export function showError(words, place = document) {
  const box = place.querySelector('[data-error]');
  box.textContent = words;
  box.hidden = !words;
}

// What may go wrong wherever somebody proves who they are.
export function refusalWords({ code, message, retryAfter }) {
  if (code === 'invalid_credentials') return 'This name and password do not match an account.';
  if (code === 'wrong_password') return 'That is not your current password.';
  if (code === 'invalid_code') return 'That code is not right, or it was used already. Wait for the next one that your app shows.';
  if (code === 'too_many_attempts') return `Too many attempts. ${waitWords(retryAfter)}`;
  return message;
}

export function waitWords(seconds) {
  if (!seconds) return 'Wait a moment and try again.';
  if (seconds < 60) return `Try again in ${seconds} seconds.`;
  const minutes = Math.ceil(seconds / 60);
  if (minutes > 120) return `Try again in ${Math.ceil(minutes / 60)} hours.`;
  return `Try again in ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}.`;
}
