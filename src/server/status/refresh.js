// Refreshes the status page in place: scroll position, opened accounts and the text that is being typed stay.
'use strict';

const seconds = Number(document.currentScript.dataset.seconds);
// What the reader has opened and closed. It stays so on other pages of accounts.
const chosen = new Map(JSON.parse(sessionStorage.getItem('chosen') ?? '[]'));
let timer;

const all = (root) => [...root.querySelectorAll('details')];
const key = (details) => details?.dataset.key;

function restore(root) {
  for (const details of all(root)) details.open = chosen.get(key(details)) ?? details.open;
}

async function refresh() {
  clearTimeout(timer);
  try {
    // The address without the user and the password that it may contain: fetch takes none.
    const answer = await fetch(location.origin + location.pathname + location.search);
    if (!answer.ok) throw new Error(answer.statusText);
    const next = new DOMParser().parseFromString(await answer.text(), 'text/html');
    restore(next);
    const focused = key(document.activeElement?.closest('summary')?.parentElement);
    for (const id of ['now', 'shown']) document.getElementById(id).replaceWith(next.getElementById(id));
    all(document).find((details) => focused && key(details) === focused)?.querySelector('summary').focus({ preventScroll: true });
    document.body.classList.remove('silent');
  } catch {
    document.body.classList.add('silent');
  }
  timer = setTimeout(refresh, 1000 * seconds);
}

document.addEventListener('click', (event) => {
  const details = event.target.closest('summary')?.parentElement;
  if (!details) return;
  chosen.set(key(details), !details.open);
  sessionStorage.setItem('chosen', JSON.stringify([...chosen]));
});
document.addEventListener('visibilitychange', () => { if (!document.hidden) refresh(); });
restore(document);
timer = setTimeout(refresh, 1000 * seconds);
