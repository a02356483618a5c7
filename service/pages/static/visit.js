// Comfort only: counts down beside the time to watch until, which stands on the page without it.
const EVERY = 15_000;
const MINUTE = 60_000;

// The server's count, and not this device's idea of the time of day.
function count(time) {
  const end = Date.now() + Number(time.dataset.watchSeconds) * 1000;
  const place = time.parentElement.querySelector("[data-watch-left]");
  const show = () => {
    const left = Math.ceil((end - Date.now()) / MINUTE);
    const words = left > 0 ? time.dataset.left.replace("{}", String(left)) : time.dataset.over;
    // Said aloud once, when it is over: a minute that passes is no news.
    if (left <= 0) place.setAttribute("role", "status");
    if (place.textContent !== words) place.textContent = words;
  };
  show();
  setInterval(show, EVERY);
}

for (const time of document.querySelectorAll("[data-watch-seconds]")) {
  if (Number(time.dataset.watchSeconds) > 0) count(time);
}
