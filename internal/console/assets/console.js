// What pages do beyond links and forms. Everything here has a plain alternative in the page.
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

// Copying also works on plain http, where browsers have no clipboard for pages.
async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const field = document.createElement('textarea');
    field.value = text;
    field.className = 'hidden';
    document.body.append(field);
    field.select();
    const done = document.execCommand('copy');
    field.remove();
    return done;
  }
}

function say(button) {
  button.classList.add('copied');
  const label = button.dataset.copy === undefined ? button.textContent : '';
  if (label) button.textContent = 'Copied';
  setTimeout(() => {
    button.classList.remove('copied');
    if (label) button.textContent = label;
  }, 1200);
}

for (const button of $$('[data-copy], [data-copy-from]')) {
  button.hidden = false;
  button.addEventListener('click', async () => {
    const text = button.dataset.copy ?? document.getElementById(button.dataset.copyFrom).textContent;
    if (await copy(text)) say(button);
  });
}

// Menus close when something else is clicked, and by Escape.
document.addEventListener('click', (event) => {
  for (const menu of $$('details.menu[open]')) if (!menu.contains(event.target)) menu.open = false;
});

// The command line gets its session; if it cannot be reached the page shows what to paste.
for (const box of $$('[data-handover]')) {
  const show = (state) => { for (const part of $$('[data-when]', box)) part.hidden = part.dataset.when !== state; };
  show('waiting');
  fetch(`http://127.0.0.1:${box.dataset.handover}/`, {
    method: 'POST', headers: { 'Content-Type': 'application/json' }, body: Uint8Array.from(atob(box.dataset.payload), (c) => c.charCodeAt(0)), credentials: 'omit', referrerPolicy: 'no-referrer',
  }).then((answer) => show(answer.ok ? 'sent' : 'paste'), () => show('paste'));
}

// Keys: / searches, g and a letter goes to a page, ? shows the list.
const base = document.body.dataset.base;
const places = { i: '/identities', t: '/tokens', s: '/projects', a: '/audit', o: '' };
const help = document.getElementById('keys');
for (const button of $$('[data-help]')) {
  button.hidden = false;
  button.addEventListener('click', () => help.showModal());
}
let lead = false;
document.addEventListener('keydown', (event) => {
  if (event.key === 'Escape') for (const menu of $$('details.menu[open]')) { menu.open = false; menu.firstElementChild.focus(); }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.('input, textarea, select, [contenteditable]')) return;
  if (lead && places[event.key] !== undefined && base) location.href = base + places[event.key];
  lead = event.key === 'g';
  if (event.key === '?' && help) help.showModal();
  const search = document.querySelector('[data-search]');
  if (event.key === '/' && search) { event.preventDefault(); search.focus(); }
});

// A destructive button wakes up when the name is typed; the server checks it in any case.
for (const field of $$('[data-confirm]')) {
  const button = field.form.querySelector('.destroy');
  const check = () => { button.disabled = field.value.trim() !== field.dataset.confirm.trim(); };
  field.addEventListener('input', check);
  check();
}

// One box for all of a list.
for (const all of $$('[data-all]')) {
  all.hidden = false;
  all.addEventListener('change', () => { for (const box of $$(`input[name="${all.dataset.all}"]`, all.form)) box.checked = all.checked; });
}

// A value is fetched when it is asked for, and goes when it is clicked again.
for (const form of $$('[data-reveal]')) {
  const cell = form.parentElement, text = cell.querySelector('.value'), button = form.querySelector('button'), hidden = text.textContent;
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const show = !cell.classList.contains('shown');
    if (show) {
      const answer = await fetch(form.action, { method: 'POST', headers: { Accept: 'text/plain' }, body: new URLSearchParams(new FormData(form)) });
      if (!answer.ok) { form.submit(); return; }
      text.textContent = (await answer.text()) || '(empty)';
    } else {
      text.textContent = hidden;
    }
    cell.classList.toggle('shown', show);
    button.setAttribute('aria-pressed', String(show));
  });
}

// A file that is dropped on a text field becomes its text.
for (const field of $$('[data-drop]')) {
  field.addEventListener('dragover', (event) => event.preventDefault());
  field.addEventListener('drop', async (event) => {
    const file = event.dataTransfer.files[0];
    if (!file) return;
    event.preventDefault();
    field.value = await file.text();
  });
}
