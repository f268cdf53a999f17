// What the pages do without: fresh figures while one looks, the browser's time zone, the keyboard, rows that
// come while they are watched.  Every text from the log is set as text, never as markup.
"use strict";

const live = document.getElementById("live");
const pulse = document.getElementById("pulse");

// The browser's zone, for times on the next page.
try {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (zone && !document.cookie.includes(`mailscope_zone=${zone}`)) {
    document.cookie = `mailscope_zone=${zone}; path=/; max-age=31536000; samesite=lax` +
      (location.protocol === "https:" ? "; secure" : "");
  }
} catch (error) { /* Times stay in the store's zone. */ }

document.addEventListener("keydown", (event) => {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    document.getElementById("search").focus();
  }
  if (event.key === "Escape" && typing) document.activeElement.blur();
});

// A page of figures is fetched anew at most so often, when something was stored.
const AGAIN_MS = 5000;
let last = Date.now();
let waiting = null;

async function renew() {
  waiting = null;
  last = Date.now();
  // Nobody loses what is being typed or marked.
  if (document.hidden || live.contains(document.activeElement) && document.activeElement.matches("input, textarea, select")
      || String(window.getSelection())) return;
  try {
    const answer = await fetch(location.href, { headers: { "X-Renew": "1" }, credentials: "same-origin" });
    if (!answer.ok || answer.redirected) return;
    const made = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = made.getElementById("live");
    if (!fresh) return;
    const open = [...live.querySelectorAll("details[open][id]")].map((each) => each.id);
    const focused = document.activeElement;
    const place = focused && live.contains(focused) ? focused.getAttribute("href") : null;
    live.replaceChildren(...fresh.childNodes);
    for (const id of open) document.getElementById(id)?.setAttribute("open", "");
    if (place) [...live.querySelectorAll("a")].find((each) => each.getAttribute("href") === place)?.focus();
    paint();
  } catch (error) { /* The next batch tries again. */ }
}

function told(count) {
  pulse.textContent = new Date().toLocaleTimeString() + " +" + count;
  if (live.hasAttribute("data-still") || waiting) return;
  waiting = setTimeout(renew, Math.max(0, last + AGAIN_MS - Date.now()));
}

// Cells of a heat map and bars in cells have their figure in an attribute.
function paint() {
  for (const each of document.querySelectorAll("[data-share]")) {
    each.style.setProperty("--share", each.dataset.share);
  }
}
paint();

const rows = document.getElementById("rows");
if (rows) {
  follow();
} else if (live && document.querySelector("nav.menu") && window.EventSource) {
  const source = new EventSource("/live/pulse");
  source.addEventListener("stored", (event) => told(Number(event.data)));
}

// The live page: rows as they are stored, the newest first.
function follow() {
  const MOST = 500;
  const button = document.getElementById("pause");
  let paused = false;
  const source = new EventSource("/live/stream" + location.search);
  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    button.setAttribute("aria-pressed", String(paused));
  });
  source.addEventListener("rows", (event) => {
    if (paused) return;
    for (const found of JSON.parse(event.data)) {
      const row = document.createElement("tr");
      for (const [name, text, href] of found) {
        const cell = document.createElement("td");
        cell.className = name;
        const words = document.createElement("bdi");
        words.textContent = text;
        if (href && href.startsWith("/")) {
          const link = document.createElement("a");
          link.href = href;
          link.append(words);
          cell.append(link);
        } else {
          cell.append(words);
        }
        row.append(cell);
      }
      rows.prepend(row);
    }
    while (rows.children.length > MOST) rows.lastElementChild.remove();
    pulse.textContent = new Date().toLocaleTimeString();
  });
}
