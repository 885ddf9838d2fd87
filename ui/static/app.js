// Comforts for browsers with JavaScript. Everything works without them; what needs them is hidden until they are here.
"use strict";

(() => {
  const all = (selector, run) => document.querySelectorAll(selector).forEach(run);

  // Copy what is saved elsewhere: the value of a <data>, or each <code> on a line of its own.
  all("[data-copy]", (button) => {
    const source = document.getElementById(button.dataset.copy);
    if (!source || !navigator.clipboard) return;
    const label = button.textContent;
    let timer;
    button.hidden = false;
    button.setAttribute("aria-live", "polite");
    button.addEventListener("click", async () => {
      const text = source.value || Array.from(source.querySelectorAll("code"), (c) => c.textContent).join("\n");
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        getSelection().selectAllChildren(source); // not allowed: at least it is selected
        return;
      }
      button.textContent = button.dataset.done;
      clearTimeout(timer);
      timer = setTimeout(() => { button.textContent = label; }, 2500);
    });
  });

  all("[data-print]", (button) => {
    button.hidden = false;
    button.addEventListener("click", () => print());
  });

  all("[data-reveal]", (button) => {
    const field = document.getElementById(button.dataset.reveal);
    const label = button.textContent;
    const show = (shown) => {
      field.type = shown ? "text" : "password";
      button.textContent = shown ? button.dataset.shown : label;
    };
    button.hidden = false;
    button.addEventListener("click", () => show(field.type === "password"));
    // Browsers keep what was typed into text fields.
    field.form.addEventListener("submit", () => show(false));
  });

  // A complete code sends itself, once: a second time only by the button, so that a wrong one can be corrected.
  all("input[data-digits]", (field) => {
    const note = document.getElementById("code-self");
    if (note) {
      note.hidden = false;
      field.setAttribute("aria-describedby", `${field.getAttribute("aria-describedby")} ${note.id}`);
    }
    let sent = false;
    field.addEventListener("input", (event) => {
      const code = field.value.replace(/[\s-]/g, "");
      if (sent || event.isComposing || !/^[0-9]+$/.test(code) || code.length !== Number(field.dataset.digits)) return;
      sent = true;
      field.form.requestSubmit();
    });
  });

  // A double click sends once. What didn't arrive, or comes back from the browser's cache, can be sent again.
  all("form:not([data-submit])", (form) => {
    let busy = false;
    const free = () => {
      busy = false;
      form.removeAttribute("aria-busy");
    };
    form.addEventListener("submit", (event) => {
      if (busy) event.preventDefault();
      busy = true;
      form.setAttribute("aria-busy", "true");
      setTimeout(free, 5000);
    });
    addEventListener("pageshow", free);
  });

  all("form[data-submit]", (form) => form.submit());

  // Times in the reader's own zone and language.
  const page = document.documentElement.lang;
  const mine = navigator.languages.find((l) => l.split("-")[0] === page.split("-")[0]) || page;
  all("time[datetime]", (time) => {
    const at = new Date(time.dateTime);
    const options = { dateStyle: "long" };
    if (/\d:\d/.test(time.textContent)) options.timeStyle = "short";
    if (!Number.isNaN(at.getTime())) time.textContent = new Intl.DateTimeFormat(mine, options).format(at);
  });
})();
