/* Collect: tick everybody on the page, and say how many are ticked. The page works without it. */
"use strict";
(() => {
  const form = document.querySelector("[data-collect]");
  if (!form) return;
  const all = form.querySelector("[data-all]");
  const picked = form.querySelector("[data-picked]");
  const boxes = () => [...form.querySelectorAll("input[name=party]")];
  const count = () => {
    const number = boxes().filter((box) => box.checked).length;
    picked.textContent = number ? String(number) : "";
    all.firstElementChild.checked = number > 0 && number === boxes().length;
  };
  all.hidden = false;
  all.addEventListener("change", (event) => {
    for (const box of boxes()) box.checked = event.target.checked;
    count();
  });
  form.addEventListener("change", count);
  document.addEventListener("htmx:afterSwap", count);
  window.addEventListener("pageshow", count);
})();
