// The session locks where nobody uses it; the page shows it by itself, and hands over what is half typed.

const MARGIN = 20, TOLD_EVERY = 20, STORED = "dosegate.typed";
const locksAfter = Number(document.body.dataset.locksAfter);
const lockForm = document.getElementById("lock");
const others = "BroadcastChannel" in window ? new BroadcastChannel("dosegate") : undefined;
let used = Date.now();

const ownForms = () => [...document.forms].filter((form) => form.getAttribute("method") === "post" && form.querySelector("[name=form_owner]"));

const pathOf = (form) => new URL(form.getAttribute("action"), location.href).pathname;

const isChanged = (field) =>
  field.type === "checkbox" || field.type === "radio" ? field.checked !== field.defaultChecked
    : field.options ? [...field.options].some((option) => option.selected !== option.defaultSelected && !isFirstOfNone(field, option))
    : "defaultValue" in field && !["hidden", "password", "file", "submit"].includes(field.type) && field.value !== field.defaultValue;

// A list of which nothing was chosen shows its first entry.
const isFirstOfNone = (field, option) => field.selectedIndex === 0 && option.index === 0 && ![...field.options].some((each) => each.defaultSelected);

const fieldsOf = (form) => [...new FormData(form)].filter(([name, value]) =>
  typeof value === "string" && form.querySelector(`[name="${CSS.escape(name)}"]`)?.type !== "password");

function handOver() {
  const form = ownForms().find((each) => each !== lockForm && [...each.elements].some((field) => field.name && isChanged(field)));
  if (!form) return;
  add("typed_for", pathOf(form));
  for (const [name, value] of fieldsOf(form)) add(`typed.${name}`, value);
}

function add(name, value) {
  const field = Object.assign(document.createElement("input"), { type: "hidden", name, value });
  lockForm.append(field);
}

function lock() {
  used = Infinity;
  document.body.classList.add("dg-covered");
  handOver();
  lockForm.submit();
}

async function tell() {
  used = Date.now();
  others?.postMessage("used");
  const answer = await fetch("/awake", { redirect: "manual" }).catch(() => undefined);
  if (answer && answer.type === "opaqueredirect") lock();
}

if (locksAfter && lockForm) {
  lockForm.addEventListener("submit", handOver);
  for (const kind of ["pointerdown", "keydown", "input", "scroll"]) {
    document.addEventListener(kind, () => { if (Date.now() - used > TOLD_EVERY * 1000) tell(); }, { passive: true, capture: true });
  }
  document.addEventListener("htmx:after:request", () => { used = Date.now(); others?.postMessage("used"); });
  others?.addEventListener("message", () => { used = Date.now(); });
  setInterval(() => { if (Date.now() - used >= (locksAfter - MARGIN) * 1000) lock(); }, 1000);
}

document.querySelector(".dg-door input:not([type=hidden])")?.focus();

// Coming back: what was half typed goes to where it was typed, by way of this tab's own memory.
const back = document.querySelector("form[data-typed-on]");
if (back) {
  sessionStorage.setItem(STORED, JSON.stringify({ to: pathOf(back), fields: fieldsOf(back) }));
  location.replace(back.dataset.typedOn);
}

function bringBack({ to, fields }) {
  const has = (name, value) => fields.some(([each, said]) => each === name && said === value);
  const form = ownForms().find((each) => pathOf(each) === to &&
    [...each.querySelectorAll("input[type=hidden]")].every((field) => ["form_key", "form_owner"].includes(field.name) || has(field.name, field.value)));
  let first;
  for (const field of form?.elements ?? []) {
    if (!field.name || ["hidden", "password", "file", "submit", "fieldset"].includes(field.type)) continue;
    if (field.type === "checkbox" || field.type === "radio") field.checked = has(field.name, field.value);
    else { const said = fields.find(([name]) => name === field.name); if (said) field.value = said[1]; }
    if (isChanged(field)) first ??= field;
  }
  const note = document.getElementById("typed-back")?.content.cloneNode(true);
  if (!note) return;
  if (!form) note.querySelector("p").append(" ", fields.map(([name, value]) => `${name}: ${value}`).join("; "));
  document.getElementById("maincontent").prepend(note);
  first?.focus();
}

const stored = back ? null : sessionStorage.getItem(STORED);
if (stored) {
  sessionStorage.removeItem(STORED);
  bringBack(JSON.parse(stored));
}
