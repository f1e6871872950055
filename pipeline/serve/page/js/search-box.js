// The search box: typing with completion, and images that are dropped on the page or pasted.

import { byId, count, CROSS, h, icon, put, toast } from "./dom.js";
import { among, keep, preview } from "./uploaded-images.js";
import { change, state } from "./state.js";
import * as server from "./api.js";

const input = byId("q");
const list = byId("completions");
const MOST_PICTURES = 8;
const DRAGGED = "application/x-lexel-item";

const HINT = matchMedia("(max-width: 820px)").matches ? "Words, or a picture" : "Search by words, or drop a picture";

let chosen = -1;
let asking = null;
let waiting = 0;

/** Show the state's query in the box. */
export async function showBox() {
  if (document.activeElement !== input || input.value.trim() !== state.q) input.value = state.q;
  byId("clear").hidden = !(state.q || state.pictures.length || state.like.length || state.unlike.length || state.filters.length);
  const drops = state.pictures.map(async (id) => drop(await preview(id), "A picture of yours", { pictures: state.pictures.filter((one) => one !== id) }));
  put(byId("drops"), ...await Promise.all(drops));
  input.placeholder = drops.length || state.like.length ? "and words: at night" : HINT;
}

function drop(address, what, without) {
  return h("span", { class: "drop" },
    address ? h("img", { src: address, alt: what }) : h("span", { class: "blank", title: what }),
    h("button", { type: "button", "aria-label": `Take out: ${what}`, onclick: () => change(without) }, icon(CROSS)));
}

/** Add the box's event listeners. */
export function useBox() {
  byId("box").addEventListener("submit", (event) => {
    event.preventDefault();
    close();
    change({ q: input.value.trim() });
    input.blur();
  });
  byId("clear").addEventListener("click", () => {
    change({ q: "", pictures: [], like: [], unlike: [], filters: [], weight: null, share: 0.5 });
    input.focus();
  });
  byId("file").addEventListener("change", (event) => {
    take([...event.target.files]);
    event.target.value = "";
  });
  input.addEventListener("input", () => {
    narrow();
    clearTimeout(waiting);
    waiting = setTimeout(complete, 70);
  });
  input.addEventListener("keydown", steer);
  input.addEventListener("blur", () => setTimeout(close, 120));
  document.addEventListener("paste", (event) => {
    const pictures = among(event.clipboardData);
    if (pictures.length) {
      event.preventDefault();
      take(pictures);
    }
  });
  acceptDrops();
}

async function take(files) {
  const pictures = files.slice(0, MOST_PICTURES - state.pictures.length);
  if (pictures.length) change({ q: input.value.trim(), pictures: [...state.pictures, ...(await Promise.all(pictures.map(keep)))] });
}

/** Make a result draggable to the box. */
export function dragResult(event, id) {
  event.dataTransfer.setData(DRAGGED, id);
}

function acceptDrops() {
  const landing = byId("landing");
  let depth = 0;
  const over = (event) => [...event.dataTransfer.types].some((type) => type === "Files" || type === DRAGGED || type === "text/uri-list");
  document.addEventListener("dragenter", (event) => { if (over(event)) { depth += 1; landing.hidden = false; } });
  document.addEventListener("dragleave", () => { depth = Math.max(0, depth - 1); landing.hidden = depth === 0; });
  document.addEventListener("dragover", (event) => { if (over(event)) event.preventDefault(); });
  document.addEventListener("drop", (event) => {
    depth = 0;
    landing.hidden = true;
    if (!over(event)) return;
    event.preventDefault();
    const id = event.dataTransfer.getData(DRAGGED);
    const pictures = among(event.dataTransfer);
    if (id) change({ like: [...new Set([...state.like, id])].slice(-MOST_PICTURES), unlike: state.unlike.filter((one) => one !== id) });
    else if (pictures.length) take(pictures);
    else toast("Addresses are not fetched: save the picture, and drop the file.");
  });
}

/** The word at the caret: its start and end, its sign, and its letters. */
function current() {
  const caret = input.selectionStart ?? input.value.length;
  const start = input.value.lastIndexOf(" ", caret - 1) + 1;
  const text = input.value.slice(start, caret);
  const sign = /^[+-]/.test(text) ? text[0] : "";
  return { start, end: caret, sign, prefix: text.slice(sign.length) };
}

async function complete() {
  const { prefix } = current();
  asking?.abort();
  if (!/^\p{L}[^^]*$/u.test(prefix)) return close();
  asking = new AbortController();
  try {
    const { terms } = await server.completions(state.index, prefix, asking.signal);
    if (current().prefix === prefix) show(terms, prefix); // not where another letter came before the answer
  } catch { /* another letter came, or the server is away, which the next search will say */ }
}

function show(terms, prefix) {
  const there = terms.filter(({ count: n }) => n);
  const some = (there.length ? there : terms).filter(({ form, term }) => !(terms.length === 1 && (form === prefix || term === prefix)));
  if (!some.length || document.activeElement !== input) return close();
  chosen = -1;
  list.replaceChildren(...some.map(({ form, term, count: n }, i) => h("li", {
    role: "option", id: `completion-${i}`, "aria-selected": "false", "data-form": form,
    onmousedown: (event) => { event.preventDefault(); pick(form); },
  }, h("span", {}, h("b", {}, form.slice(0, prefix.length)), form.slice(prefix.length), form === term ? "" : h("i", {}, ` ${term}`)), h("small", {}, count(n)))));
  list.hidden = false;
  input.setAttribute("aria-expanded", "true");
}

/** Take out the completions that no longer begin as typed: Enter must not pick a word of what stood there before. */
function narrow() {
  const prefix = current().prefix.toLowerCase();
  const gone = [...list.children].filter(({ dataset }) => !prefix || !dataset.form.startsWith(prefix));
  if (gone.length === list.children.length) return close();
  gone.forEach((option) => option.remove());
  chosen = -1;
}

function close() {
  clearTimeout(waiting);
  list.hidden = true;
  chosen = -1;
  input.setAttribute("aria-expanded", "false");
  input.removeAttribute("aria-activedescendant");
}

function steer(event) {
  const options = [...list.children];
  if (event.key === "Escape" && list.hidden) input.blur();
  if (list.hidden) return;
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    chosen = (chosen + step + options.length + (chosen < 0 && step < 0 ? 1 : 0)) % options.length;
    options.forEach((option, i) => option.setAttribute("aria-selected", String(i === chosen)));
    input.setAttribute("aria-activedescendant", options[chosen].id);
  } else if ((event.key === "Enter" || event.key === "Tab") && chosen >= 0) {
    event.preventDefault();
    pick(options[chosen].dataset.form);
  } else if (event.key === "Escape") {
    event.stopPropagation();
    close();
  }
}

function pick(form) {
  const { start, end, sign } = current();
  const before = `${input.value.slice(0, start)}${sign}${form} `;
  input.value = before + input.value.slice(end).trimStart();
  input.setSelectionRange(before.length, before.length);
  close();
}
