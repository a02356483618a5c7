// Comfort only: every page does its work without a line of this.
import { initAll } from "./vendor/nhsuk-frontend.js";

document.body.classList.add("js-enabled", "nhsuk-frontend-supported");
initAll();
