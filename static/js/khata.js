/* What makes Khata quick where JavaScript runs. Every page works without this file. */
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const wide = window.matchMedia("(min-width: 900px)");
  const say = (text) => {
    const box = $("#said");
    if (box) box.textContent = text;
  };
  /* Said and shown: a part of the page that could not be fetched must not look like an empty one. */
  const tell = (text) => {
    const box = $("#said");
    if (!box || !text) return;
    box.classList.replace("sr", "toast");
    say(text);
    clearTimeout(tell.timer);
    tell.timer = setTimeout(() => {
      box.classList.replace("toast", "sr");
      say("");
    }, 6000);
  };

  /* --- arithmetic, for showing only: the server decides. Exact, in ten-thousandths of a paisa. --- */
  const SCALE = 1000000n;
  const digits = (text) =>
    text.replace(/\p{Nd}/gu, (char) => {
      const code = char.codePointAt(0);
      let zero = code;
      while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1)) && code - zero < 9) zero -= 1;
      return String(code - zero);
    });
  function evaluate(raw) {
    const spaced = digits(raw)
      .replace(/[×x✕]/gi, "*")
      .replace(/÷/g, "/")
      .replace(/[−–—]/g, "-")
      .replace(/(₹|₨|rs\.?|inr|रु\.?)\s*/gi, "₹")
      .trim()
      .replace(/(\/-|=)+$/, "")
      .replace(/(^|[-+*/(])\s*₹/g, "$1"); // anywhere else it would glue two amounts together
    if (/[\d.,]\s+[\d.,]/.test(spaced)) return null; // “12 40” is no sum
    const text = spaced.replace(/[\s,]/g, "");
    let at = 0;
    const number = () => {
      if (text[at] === "(") {
        at += 1;
        const inner = sum();
        if (text[at] !== ")") throw 0;
        at += 1;
        return inner;
      }
      const found = /^(\d+\.?\d*|\.\d+)/.exec(text.slice(at));
      if (!found) throw 0;
      at += found[0].length;
      const [whole, part = ""] = found[0].split(".");
      return BigInt(whole || "0") * SCALE + BigInt((part + "000000").slice(0, 6));
    };
    const product = () => {
      let left = number();
      while (text[at] === "*" || text[at] === "/") {
        const op = text[at];
        at += 1;
        const right = number();
        if (op === "/" && right === 0n) throw 0;
        left = op === "*" ? (left * right) / SCALE : (left * SCALE) / right;
      }
      return left;
    };
    const sum = () => {
      let left = product();
      while (text[at] === "+" || text[at] === "-") {
        const op = text[at];
        at += 1;
        const right = product();
        left = op === "+" ? left + right : left - right;
      }
      return left;
    };
    try {
      const value = sum();
      return at === text.length && value > 0n ? Number((value + SCALE / 200n) / (SCALE / 100n)) : null;
    } catch {
      return null;
    }
  }
  function rupees(paise) {
    const whole = String(Math.floor(Math.abs(paise) / 100));
    const head = whole.slice(0, -3).replace(/\B(?=(\d{2})+(?!\d))/g, ",");
    const rest = Math.abs(paise) % 100;
    return (
      (paise < 0 ? "−" : "") +
      "₹" +
      (head ? head + "," : "") +
      whole.slice(-3) +
      (rest ? "." + String(rest).padStart(2, "0") : "")
    );
  }

  /* --- the keypad ------------------------------------------------------------------------------ */
  function keypad(form) {
    const input = $("#id_amount", form),
      pad = $(".keys", form),
      output = $("[data-sum]", form),
      save = $("[data-save]", form);
    const after = $("[data-after]");
    const touch = window.matchMedia("(pointer: coarse)").matches;
    pad.hidden = false;
    if (touch) input.inputMode = "none";
    const show = () => {
      const paise = evaluate(input.value);
      output.textContent = paise && /[^\d.,\s]/.test(input.value) ? "= " + rupees(paise) : "";
      save.textContent = paise ? save.dataset.save + " " + rupees(paise) : save.dataset.save;
      if (after)
        after.textContent = paise
          ? "→ " + rupees(Number(after.dataset.after) + Number(after.dataset.sign) * paise)
          : "";
    };
    pad.addEventListener("click", (event) => {
      const key = event.target.closest("button")?.dataset.type;
      if (!key) return;
      input.value = key === "⌫" ? input.value.slice(0, -1) : (input.value + key).slice(0, 120);
      show();
      if (!touch) input.focus();
    });
    input.addEventListener("input", show);
    show();
  }

  /* --- small helpers, bound by data attributes -------------------------------------------------- */
  const bound = new WeakSet();
  const once = (element, bind) => {
    if (!bound.has(element)) {
      bound.add(element);
      bind(element);
    }
  };
  function bindAll(root) {
    $$("[data-keypad]", root).forEach((form) => once(form, keypad));
    $$("[data-vanish]", root).forEach((note) =>
      once(note, () => setTimeout(() => note.remove(), 1000 * Number(note.dataset.vanish))),
    );
    $$("[data-copy]", root).forEach((button) =>
      once(button, () =>
        button.addEventListener("click", async () => {
          await navigator.clipboard.writeText(button.dataset.copy);
          const done = button.dataset.done || "✓";
          const text = button.textContent;
          button.textContent = done;
          say(done);
          setTimeout(() => {
            button.textContent = text;
          }, 1600);
        }),
      ),
    );
    $$("[data-share]", root).forEach((button) =>
      once(button, () => {
        if (!navigator.share) return;
        button.hidden = false;
        button.addEventListener("click", () =>
          navigator.share({ text: button.dataset.share }).catch(() => {}),
        );
      }),
    );
    $$("[data-contacts]", root).forEach((button) => once(button, contacts));
    $$("[data-search]", root).forEach((input) =>
      once(input, () =>
        input.addEventListener("htmx:configRequest", (event) => {
          event.detail.parameters = { q: input.value.replace(/\s*\p{Nd}.*$/u, "") };
        }),
      ),
    );
  }
  function contacts(button) {
    if (!("contacts" in navigator && "select" in navigator.contacts)) return;
    button.hidden = false;
    button.addEventListener("click", async () => {
      const [one] = await navigator.contacts.select(["name", "tel"], { multiple: false }).catch(() => []);
      if (!one) return;
      if (one.name?.[0]) $("#id_name").value = one.name[0];
      if (one.tel?.[0]) $("#id_phone").value = one.tel[0];
    });
  }

  /* A form is sent once; coming back by the back button it may be sent again (the key decides). */
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.matches("[data-once]") || form.dataset.sent) {
      if (form.dataset.sent) event.preventDefault();
      return;
    }
    form.dataset.sent = "1";
    setTimeout(() => {
      delete form.dataset.sent;
    }, 8000);
  });
  window.addEventListener("pageshow", () =>
    $$("[data-sent]").forEach((form) => {
      delete form.dataset.sent;
    }),
  );

  /* --- the list beside the khata, on a wide screen ----------------------------------------------- */
  function fillSide() {
    const side = $("#side");
    if (!side || !wide.matches || side.dataset.full) return;
    side.dataset.full = "1";
    const query = location.pathname === new URL(side.dataset.src, location).pathname ? location.search : "";
    htmx
      .ajax("GET", side.dataset.src + (query ? query + "&" : "?") + "part=side", {
        target: "#side",
        swap: "innerHTML",
      })
      .then(() => mark());
  }
  function mark() {
    $$("#side a.row").forEach((row) =>
      row.classList.toggle("is-at", location.pathname.startsWith(new URL(row.href).pathname)),
    );
  }

  /* --- an open khata moves by itself when money arrives ------------------------------------------ */
  let asking = false;
  setInterval(async () => {
    const open = $("[data-pulse]");
    if (!open || document.hidden || asking) return;
    asking = true;
    try {
      const answer = await fetch(`${open.dataset.pulse}?count=${open.dataset.count}`, {
        headers: { "HX-Request": "true" },
      });
      if (answer.status === 200 && open.isConnected) {
        await htmx.ajax("GET", location.pathname, { target: "#main", select: "#main", swap: "outerHTML" });
        const balance = $("#main .balance b");
        if (balance) say(balance.textContent);
      }
    } catch {
      /* offline: the next beat asks again */
    } finally {
      asking = false;
    }
  }, 1200);

  /* --- the keyboard ------------------------------------------------------------------------------- */
  document.addEventListener("keydown", (event) => {
    const typing = event.target.matches("input, textarea, select");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && typing) {
      const away = $('[data-key="Escape"]');
      if (away) {
        away.click();
      } else {
        event.target.blur();
      }
      return;
    }
    const visible = (element) => element.offsetParent !== null;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (typing && !event.target.matches("[data-quick]")) return;
      const rows = $$('[data-keys="list"] a.row').filter(visible);
      if (!rows.length) return;
      const here = rows.indexOf(document.activeElement);
      const next = rows[Math.max(0, Math.min(rows.length - 1, here + (event.key === "ArrowDown" ? 1 : -1)))];
      next.focus();
      event.preventDefault();
      return;
    }
    if (typing) return;
    if (event.key === "/") {
      const box = $$("[data-quick]").find(visible);
      if (box) {
        box.focus();
        box.select();
        event.preventDefault();
      }
      return;
    }
    const button =
      $$(`[data-key="${CSS.escape(event.key)}"]`).find(visible) ||
      $$(`[data-key="${CSS.escape(event.key)}"]`)[0];
    if (button) {
      event.preventDefault();
      button.click();
    }
  });

  document.addEventListener("htmx:afterSwap", () => {
    bindAll(document);
    mark();
  });
  for (const fault of ["sendError", "timeout"])
    document.addEventListener(`htmx:${fault}`, () => tell(document.body.dataset.offline));
  document.addEventListener("htmx:responseError", () => tell(document.body.dataset.failed));
  bindAll(document);
  fillSide();
  wide.addEventListener("change", fillSide);
})();
