// The button that prints: there is none where nothing would happen.
const button = document.getElementById("print");
button.hidden = false;
button.addEventListener("click", () => window.print());
