// Comforts for browsers with JavaScript. Everything works without them; what needs them is hidden until they are here.
"use strict";

(() => {
  const all = (selector, run) => document.querySelectorAll(selector).forEach(run);

  // Times in the reader's own zone and language.
  const page = document.documentElement.lang;
  const mine = navigator.languages.find((l) => l.split("-")[0] === page.split("-")[0]) || page;
  all("time[datetime]", (time) => {
    const at = new Date(time.dateTime);
    const options = { dateStyle: "long", numberingSystem: "latn" };
    if (/\d:\d/.test(time.textContent)) options.timeStyle = "short";
    if (!Number.isNaN(at.getTime())) time.textContent = new Intl.DateTimeFormat(mine, options).format(at);
  });

  // The tab of this page in sight, in browsers that don't bring it there by themselves (scroll-initial-target).
  all(".tabs [aria-current]", (here) => {
    const row = here.closest("ul"), tab = here.getBoundingClientRect(), frame = row.getBoundingClientRect();
    if (!CSS.supports("scroll-initial-target", "nearest")) row.scrollBy(tab.left + tab.width / 2 - frame.left - frame.width / 2, 0);
  });

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

  all("[data-fills]", (field) => {
    field.addEventListener("input", () => { document.getElementById(field.dataset.fills).value = field.value; });
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

  // A complete code sends itself, once: a second time only by the button, so that a wrong one can be corrected. Where
  // there is a box to tick as well, it would be gone before anybody came to it.
  all("form:not(:has([name=remember])) input[data-digits]", (field) => {
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

  // A button that waits says for how long. Readers of the screen hear when the wait is over, not each second of it.
  all("form[data-again]", (form) => {
    const button = form.querySelector("button");
    const label = button.textContent;
    const words = new Intl.RelativeTimeFormat(mine, { numberingSystem: "latn" });
    const end = performance.now() + form.dataset.again * 1000;
    const tick = () => {
      const left = Math.ceil((end - performance.now()) / 1000);
      button.disabled = left > 0;
      button.textContent = left > 0 ? `${label} ${words.format(left, "second")}` : label;
      if (left > 0) setTimeout(tick, 1000);
      else form.querySelector("[aria-live]").textContent = form.dataset.ready;
    };
    if (form.dataset.again > 0) tick();
  });

  // Long work is looked at again until it has ended. Readers of the screen hear how far it is; what came of it is a page anew.
  all("[data-watch]", (watched) => {
    const look = async () => {
      try {
        const got = await fetch(location.href, { headers: { Accept: "text/html" } });
        const next = new DOMParser().parseFromString(await got.text(), "text/html").getElementById(watched.id);
        if (!next || !("watch" in next.dataset)) {
          location.reload();
          return;
        }
        watched.querySelector("[role=status]").textContent = next.querySelector("[role=status]").textContent;
        watched.querySelector("progress").value = next.querySelector("progress").value;
      } catch {
        // Not reached: there is another try.
      }
      setTimeout(look, 1500);
    };
    all("[data-unwatched]", (link) => { link.hidden = true; });
    setTimeout(look, 1500);
  });

  // Menus close when something else is wanted.
  addEventListener("click", (event) => {
    all("details.menu[open]", (menu) => { if (!menu.contains(event.target)) menu.open = false; });
  });
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    all("details.menu[open]", (menu) => {
      menu.open = false;
      menu.querySelector("summary").focus();
    });
  });

  // Passkeys (Web Authentication Level 3). Options and answers travel as JSON; the fallbacks are for browsers that can't
  // read and write it themselves, and for password managers that hand out credentials without toJSON.
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const ids = (list) => (list || []).map((c) => ({ ...c, id: bytes(c.id) }));
  const read = {
    get: (o) => PublicKeyCredential.parseRequestOptionsFromJSON?.(o)
      ?? { ...o, challenge: bytes(o.challenge), allowCredentials: ids(o.allowCredentials) },
    create: (o) => PublicKeyCredential.parseCreationOptionsFromJSON?.(o)
      ?? { ...o, challenge: bytes(o.challenge), user: { ...o.user, id: bytes(o.user.id) }, excludeCredentials: ids(o.excludeCredentials) },
  };
  const write = (made) => {
    try {
      return JSON.stringify(made.toJSON());
    } catch {
      const response = {};
      for (const name of ["clientDataJSON", "authenticatorData", "signature", "userHandle", "attestationObject"]) {
        if (made.response[name]) response[name] = text(made.response[name]);
      }
      if (made.response.getTransports) response.transports = made.response.getTransports();
      return JSON.stringify({
        id: made.id, rawId: text(made.rawId), type: made.type, response,
        authenticatorAttachment: made.authenticatorAttachment ?? undefined,
        clientExtensionResults: made.getClientExtensionResults(),
      });
    }
  };
  const able = (kind) => typeof PublicKeyCredential === "function" && navigator.credentials?.[kind];

  // Says in the page's words what went wrong, by the name of the browser's error; an AbortError is our own doing.
  const names = { NotAllowedError: "cancelled", InvalidStateError: "known" };
  const complain = (form, error) => {
    const said = form.querySelector(".problem");
    said.replaceChildren();
    if (!error || error === "AbortError") return;
    said.append(form.querySelector("[data-problem]").content.cloneNode(true));
    said.querySelector("p").textContent = form.dataset[names[error] || error] || form.dataset.failed;
  };

  // One question to the browser at a time: a second one ends the first.
  let asked;
  const ask = async (kind, options, more) => {
    asked?.abort();
    asked = new AbortController();
    const made = await navigator.credentials[kind]({ publicKey: read[kind](options), signal: asked.signal, ...more });
    if (!made) throw new DOMException("", "NotAllowedError");
    return write(made);
  };

  all("form[data-passkey=get], form[data-passkey=create]", (form) => {
    const kind = form.dataset.passkey;
    const button = form.querySelector("[data-start]");
    if (!able(kind)) {
      complain(form, "unsupported");
      return;
    }
    const run = async (quiet) => {
      try {
        form.elements.code.value = await ask(kind, JSON.parse(form.dataset.options));
        form.requestSubmit();
      } catch (error) {
        if (!quiet) complain(form, error.name);
      }
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      complain(form);
      run(false);
    });
    if (document.activeElement === document.body) button.focus();
    // Browsers may refuse before somebody has touched the page. Then there is the button.
    if ("atOnce" in form.dataset && document.hasFocus()) run(true);
  });

  all("form[data-passkey=discover]", (form) => {
    if (!able("get")) return;
    const button = form.querySelector("[data-start]");
    const fresh = 4 * 60 * 1000; // the server's challenge is good for five minutes
    const begin = async () => {
      const body = new URLSearchParams({ request: form.elements.request.value });
      const got = await fetch(form.dataset.from, { method: "POST", headers: { Accept: "application/json" }, body });
      if (!got.ok) throw new Error(`options: ${got.status}`);
      return got.json();
    };
    const send = (state, answer) => {
      form.elements.state.value = state;
      form.elements.answer.value = answer;
      form.requestSubmit();
    };
    const seen = () => new Promise((resolve) => {
      const look = () => {
        if (document.hidden) return;
        document.removeEventListener("visibilitychange", look);
        resolve();
      };
      document.addEventListener("visibilitychange", look);
      look();
    });
    // Passkeys among what the browser fills into the name's field, as long as nobody has pressed the button.
    let pressed = false;
    const offer = async () => {
      if (!await PublicKeyCredential.isConditionalMediationAvailable?.()) return;
      for (;;) {
        await seen();
        const { options, state } = await begin();
        if (pressed) return;
        let old = false;
        const timer = setTimeout(() => { old = true; asked.abort(); }, fresh);
        try {
          return send(state, await ask("get", options, { mediation: "conditional" }));
        } catch (error) {
          if (!old) throw error;
        } finally {
          clearTimeout(timer);
        }
      }
    };
    const offerQuietly = () => offer().catch(() => {}); // an offer that can't be made: the page works without
    form.hidden = false;
    button.addEventListener("click", async () => {
      pressed = true;
      button.disabled = true;
      complain(form);
      try {
        const { options, state } = await begin();
        send(state, await ask("get", options));
      } catch (error) {
        complain(form, error.name);
        pressed = false;
        offerQuietly();
      } finally {
        button.disabled = false;
      }
    });
    offerQuietly();
  });
})();
