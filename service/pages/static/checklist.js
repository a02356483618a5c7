// The checklist, more comfortable: keys, focus that stays where one works, and words for who does not see.
// Without a line of this every answer is a form that is sent, and a page that comes back.

const OFF = "dosegate-keys-off"; // on this device only
const WRITES = "input:not([type=radio]):not([type=checkbox]):not([type=hidden]), textarea, select";
const byId = (id) => document.getElementById(id);
const checklist = () => byId("checklist");
const questions = () => [...document.querySelectorAll("[data-question]")];
const questionOf = (element) => element?.closest?.("[data-question]") ?? null;
let busy = false;

function goTo(element) {
  if (!element) return;
  for (let folded = element.closest("details:not([open])"); folded; folded = folded.parentElement.closest("details:not([open])")) folded.open = true;
  element.focus({ preventScroll: true });
  element.scrollIntoView({ block: "nearest" });
}

// ---- Answers are kept one after another; what is typed elsewhere stays, and so does what is unfolded.

document.addEventListener("htmx:before:request", (event) => {
  if (busy) { event.preventDefault(); return; }
  busy = true;
  checklist()?.setAttribute("aria-busy", "true");
});

document.addEventListener("htmx:before:response", (event) => {
  const { status } = event.detail.ctx.response;
  if (status < 400 || status === 422 || status === 409) { byId("not-kept").hidden = true; return; }
  event.preventDefault();
  if (status === 401) sendAsAPage(event.detail.ctx);
  else notKept();
});

document.addEventListener("htmx:error", () => notKept());

document.addEventListener("htmx:finally:request", () => {
  busy = false;
  checklist()?.removeAttribute("aria-busy");
});

const keyOf = (folded) => `${folded.closest("[id]").id} ${folded.querySelector("summary").textContent.trim()}`;
const unfolded = () => [...checklist().querySelectorAll("details[open]")].map(keyOf);
let wereUnfolded = [];

document.addEventListener("htmx:before:swap", () => { wereUnfolded = unfolded(); });

document.addEventListener("htmx:after:swap", () => {
  const now = checklist(), next = byId(now.dataset.focus ?? "");
  byId("announced").textContent = now.dataset.says;
  for (const folded of now.querySelectorAll("details:not([open])")) folded.open = wereUnfolded.includes(keyOf(folded));
  showKeys();
  keepInSight();
  const refused = next?.querySelector("[aria-invalid=true], .nhsuk-input--error, .nhsuk-error-message");
  if (refused) goTo(refused.matches("input, select, textarea") ? refused : next);
  else if (next && !next.contains(document.activeElement)) goTo(next);
});

// The session is locked: sent as a page, the answer is kept until it is unlocked.
function sendAsAPage({ sourceElement, sourceEvent }) {
  const { name, value } = sourceEvent?.submitter ?? {};
  if (name) sourceElement.append(Object.assign(document.createElement("input"), { type: "hidden", name, value }));
  sourceElement.submit();
}

function notKept() {
  const alert = byId("not-kept");
  alert.hidden = false;
  alert.scrollIntoView({ block: "nearest" });
}

// ---- The decision stays in sight: further down it stands at the foot of the window.

function keepInSight() {
  const decision = checklist()?.querySelector(".dg-decision");
  document.body.classList.toggle("dg-decision-away", Boolean(decision) && decision.getBoundingClientRect().bottom < 0);
}

document.addEventListener("scroll", keepInSight, { passive: true });

// ---- Keys: 1 2 3 answer the question that has the focus, J and K go through them, ? shows this.

const keysAreOff = () => localStorage.getItem(OFF) === "yes";

function answersOf(question) {
  return [...question.querySelectorAll(".dg-answer__button[type=submit]")].filter((each) => each.offsetParent !== null);
}

function showKeys() {
  const off = keysAreOff();
  byId("keys").hidden = false;
  byId("keys-switch").checked = !off;
  document.body.classList.toggle("dg-keys-on", !off);
  for (const question of questions()) {
    answersOf(question).slice(0, 9).forEach((button, place) => {
      if (off) button.removeAttribute("aria-keyshortcuts");
      else button.setAttribute("aria-keyshortcuts", String(place + 1));
    });
  }
}

function step(by) {
  const all = questions();
  const at = all.indexOf(questionOf(document.activeElement));
  goTo(at < 0 ? all[by > 0 ? 0 : all.length - 1] : all[at + by] ?? (by > 0 ? byId("end") : byId("start")));
}

document.addEventListener("keydown", (event) => {
  if (keysAreOff() || event.ctrlKey || event.metaKey || event.altKey || event.target.matches?.(WRITES)) return;
  const key = event.key.toLowerCase();
  if (key === "j") step(1);
  else if (key === "k") step(-1);
  else if (key === "?") { byId("keys-list").open = !byId("keys-list").open; goTo(byId("keys")); }
  else if (/^[1-9]$/.test(key)) answersOf(questionOf(document.activeElement) ?? document.createElement("p"))[Number(key) - 1]?.click();
  else return;
  event.preventDefault();
});

byId("keys-switch")?.addEventListener("change", (event) => {
  if (event.target.checked) localStorage.removeItem(OFF);
  else localStorage.setItem(OFF, "yes");
  showKeys();
});

showKeys();
const arrived = location.hash.slice(1);
if (arrived) goTo(byId(arrived));
