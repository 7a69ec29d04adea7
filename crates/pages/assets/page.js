// Comfort for people with scripts on. Nothing depends on it: a page that needs this file to work is broken.

// A button beside a value copies it. It is in the page hidden, so that without scripts there is none.
for (const button of document.querySelectorAll('button[data-copy]')) {
  const source = document.getElementById(button.dataset.copy);
  if (!source || !navigator.clipboard) continue;
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener('click', async () => {
    const text = 'value' in source ? source.value : source.textContent;
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Select and copy it';
    }
    setTimeout(() => { button.textContent = label; }, 2000);
  });
}

// What is typed here is seen elsewhere on the page, and sent nowhere: the field has no name. Only letters that mean
// themselves in every language are taken.
for (const field of document.querySelectorAll('input[data-fills]')) {
  const place = document.getElementById(field.dataset.fills);
  if (!place) continue;
  const empty = place.textContent;
  field.closest('[data-needs-script]').hidden = false;
  field.addEventListener('input', () => {
    const typed = field.value.trim();
    const plain = /^[A-Za-z0-9._~-]+$/.test(typed);
    field.setAttribute('aria-invalid', String(typed !== '' && !plain));
    place.textContent = plain ? typed : empty;
  });
}

// What is shown once is gone when the page is left, also from the browser's memory of pages to go back to.
window.addEventListener('pagehide', () => {
  for (const element of document.querySelectorAll('[data-once]')) {
    if ('value' in element) element.value = '';
    element.textContent = '';
  }
  for (const field of document.querySelectorAll('input[data-fills], input[type="password"]')) field.value = '';
});
