// Comfort for people with scripts on. Nothing depends on it: a page that needs this file to work is broken.

const SEARCH = 'hallpass.search';
const PAUSE = 300;
const NERVOUS = 2000;

const said = document.createElement('p');
said.className = 'unseen';
said.setAttribute('role', 'status');
document.querySelector('main').append(said);

for (const button of document.querySelectorAll('button[data-copy]')) offerCopy(button);
for (const time of document.querySelectorAll('time[datetime]')) showInOwnZone(time);
for (const field of document.querySelectorAll('input[type="search"]')) {
  if (field.dataset.filter) filterWhileTyping(field);
  else searchWhileTyping(field);
}
for (const field of document.querySelectorAll('input[data-fills]')) fillWhileTyping(field);
document.addEventListener('submit', sendOnce);
window.addEventListener('pagehide', forget);

// A button beside a value copies it. It is in the page hidden, so that without scripts there is none.
function offerCopy(button) {
  const source = document.getElementById(button.dataset.copy);
  if (!source || !navigator.clipboard) return;
  const label = button.textContent;
  button.hidden = false;
  button.addEventListener('click', async () => {
    try {
      await navigator.clipboard.writeText('value' in source ? source.value : source.textContent);
      button.textContent = 'Copied';
    } catch {
      button.textContent = 'Select and copy it';
    }
    // The words on a button are not read out when they change.
    said.textContent = button.textContent;
    setTimeout(() => {
      button.textContent = label;
      said.textContent = '';
    }, 2000);
  });
}

// Enter that is pressed twice, or held, sends a form once: the browser would drop the first request, and what
// came of it. Later the same form may be sent again, since a file that is downloaded leaves its page.
function sendOnce(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method !== 'post') return;
  if (event.timeStamp - Number(form.dataset.sent) < NERVOUS) event.preventDefault();
  else form.dataset.sent = event.timeStamp;
}

// The page says times in UTC. Here they are the reader's, and the title tells the exact one; where the
// page says a distance ("3 days ago"), only the title changes. A date without a time of day is the
// same everywhere.
function showInOwnZone(time) {
  const at = new Date(time.dateTime);
  if (!time.dateTime.includes('T') || Number.isNaN(at.valueOf())) return;
  const two = (number) => String(number).padStart(2, '0');
  const date = [at.getFullYear(), two(at.getMonth() + 1), two(at.getDate())].join('-');
  const own = `${date} ${two(at.getHours())}:${two(at.getMinutes())}`;
  const exact = `${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
  if (time.title) {
    time.title = `${own} (${exact})`;
  } else {
    time.textContent = own;
    time.title = exact;
  }
}

// A search is sent while it is typed. The address is replaced, so that Back leads out of the list and
// not through every letter; what was typed meanwhile and where the cursor is come along.
function searchWhileTyping(field) {
  const form = field.form;
  if (!form || form.method !== 'get') return;
  const place = `${location.pathname} ${field.name}`;
  let timer;
  let sent;
  const send = () => {
    sent = field.value;
    const fields = new URLSearchParams(new FormData(form));
    // The answer to another search begins at its first page.
    fields.delete('offset');
    location.replace(`${new URL(form.action).pathname}?${fields}`);
  };
  const wait = () => {
    clearTimeout(timer);
    timer = setTimeout(send, PAUSE);
  };
  const kept = JSON.parse(sessionStorage.getItem(SEARCH));
  if (kept?.place === place) {
    sessionStorage.removeItem(SEARCH);
    field.focus();
    field.value = kept.text;
    if (kept.text !== kept.sent) wait();
    field.setSelectionRange(kept.cursor, kept.cursor);
  }
  field.addEventListener('input', (event) => {
    if (!event.isComposing) wait();
  });
  field.addEventListener('compositionend', wait);
  window.addEventListener('pagehide', () => {
    if (sent === undefined) return;
    const { value: text, selectionStart: cursor } = field;
    sessionStorage.setItem(SEARCH, JSON.stringify({ place, sent, text, cursor }));
  });
}

// A search field that names a list narrows it while one types, by the same rule as the server's: every word
// occurs somewhere in the item.
function filterWhileTyping(field) {
  const list = document.getElementById(field.dataset.filter);
  if (!list) return;
  const items = [...list.querySelectorAll('[data-filter-item]')].map((element) => ({
    element,
    text: `${element.dataset.filterItem} ${element.textContent}`.toLowerCase(),
  }));
  field.addEventListener('input', () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    for (const { element, text } of items) {
      element.hidden = !words.every((word) => text.includes(word));
    }
    for (const group of list.querySelectorAll('[data-filter-group]')) {
      group.hidden = !group.querySelector('[data-filter-item]:not([hidden])');
    }
  });
}

// What is typed here is seen elsewhere on the page, and sent nowhere: the field has no name. Only letters
// that mean themselves in every language are taken.
function fillWhileTyping(field) {
  const place = document.getElementById(field.dataset.fills);
  if (!place) return;
  const empty = place.textContent;
  field.closest('[data-needs-script]').hidden = false;
  field.addEventListener('input', () => {
    const typed = field.value.trim();
    const plain = /^[A-Za-z0-9._~-]+$/.test(typed);
    field.setAttribute('aria-invalid', String(typed !== '' && !plain));
    place.textContent = plain ? typed : empty;
    show(`${place.id}-odd`, typed !== '' && !plain);
    show(`${place.id}-empty`, !plain);
  });
}

function show(id, shown) {
  const element = document.getElementById(id);
  if (element) element.hidden = !shown;
}

// What is shown once is gone when the page is left, also from the browser's memory of pages to go back to.
function forget() {
  for (const element of document.querySelectorAll('[data-once]')) {
    if ('value' in element) element.value = '';
    element.textContent = '';
  }
  for (const field of document.querySelectorAll('input[data-fills], input[type="password"]')) field.value = '';
}
