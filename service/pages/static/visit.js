// Comfort only: counts down beside the time to watch until, which stands on the page without it.
const EVERY = 15_000;
const MINUTE = 60_000;

function show(time) {
  const left = Math.ceil((Date.parse(time.dataset.watchUntil) - Date.now()) / MINUTE);
  const words = left > 0 ? time.dataset.left.replace("{}", String(left)) : time.dataset.over;
  const place = time.parentElement.querySelector("[data-watch-left]");
  // Said aloud once, when it is over: a minute that passes is no news.
  if (left <= 0) place.setAttribute("role", "status");
  if (place.textContent !== words) place.textContent = words;
}

const times = document.querySelectorAll("[data-watch-until]");
for (const time of times) {
  show(time);
  setInterval(show, EVERY, time);
}
