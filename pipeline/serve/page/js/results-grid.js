// The results: a grid of justified rows with infinite scrolling.

import { dragResult } from "./search-box.js";
import { byId, CROSS, h, icon } from "./dom.js";
import * as server from "./api.js";
import { address, change, changed, state } from "./state.js";
import { thumbs } from "./steering.js";
import { ban, boost } from "./term-weights.js";

const grid = byId("grid");
const CHIPS = 7;
// Limits of the aspect ratio; images beyond them are cropped, or they would dominate their row.
const [NARROWEST, WIDEST] = [0.62, 2.1];

export const shown = []; // the hits in the grid, in order

/** Replace the grid's content by these hits; where one had the focus, the one in its place has it. */
export function fill(hits) {
  const at = [...grid.children].findIndex((tile) => tile.contains(document.activeElement));
  shown.length = 0;
  grid.replaceChildren();
  grid.classList.remove("waiting");
  add(hits);
  if (at >= 0 && hits.length) focus(shown[Math.min(at, hits.length - 1)].id, { preventScroll: true });
}

/** Append hits to the grid. */
export function add(hits) {
  const known = new Set(shown.map((hit) => hit.id));
  const fresh = hits.filter((hit) => !known.has(hit.id));
  grid.querySelectorAll(".bone").forEach((bone) => bone.remove());
  grid.append(...fresh.map((hit, i) => tile(hit, shown.length + i)));
  shown.push(...fresh);
  markTruth();
}

/** Placeholders for results that are being loaded. */
export function bones(n, { anew = false } = {}) {
  if (anew) { shown.length = 0; grid.replaceChildren(); }
  const shapes = [1.5, 1, 0.75, 1.33, 1.5, 1, 1.33];
  grid.append(...Array.from({ length: n }, (_, i) => h("li", { class: "tile bone", "aria-hidden": "true", vars: { r: shapes[i % shapes.length] } }, h("div", { class: "shot" }), h("div", { class: "chips" }))));
}

/** Dim the results while others are being loaded. */
export const dim = (on) => grid.classList.toggle("waiting", on);

/** Focus a result. */
export function focus(id, how = {}) {
  const link = grid.querySelector(`[data-id="${CSS.escape(id)}"] .shot`);
  if (link) { reach(link.closest(".tile")); link.focus(how); }
}

function tile(hit, place) {
  const r = hit.width && hit.height ? Math.min(WIDEST, Math.max(NARROWEST, hit.width / hit.height)) : hit.text ? 1.7 : 1.2;
  const name = hit.captions?.[0] ?? hit.label ?? hit.top_terms.slice(0, 5).join(", ");
  const inner = hit.text
    ? h("p", {}, hit.text)
    : h("img", { src: server.thumbnail(state.index, hit.id), alt: name, loading: place < 12 ? "eager" : "lazy", decoding: "async", draggable: "false", onload: (event) => event.target.classList.add("there") });
  const link = h("a", {
    class: hit.text ? "shot said" : "shot", href: address({ ...state, item: hit.id }), tabindex: place ? "-1" : "0", draggable: "true",
    "aria-label": hit.text ? null : `${place + 1}: ${name}`,
    onclick: (event) => { if (!(event.metaKey || event.ctrlKey || event.shiftKey)) { event.preventDefault(); change({ item: hit.id }); } },
    ondragstart: (event) => dragResult(event, hit.id),
  }, inner, hit.score ? h("span", { class: "rank", "aria-hidden": "true" }, place + 1) : null);
  return h("li", { class: hit.text ? "tile text" : "tile", "data-id": hit.id, vars: { r: r.toFixed(3) } }, link, thumbs(hit.id, name, { tabindex: place ? "-1" : "0" }), h("div", { class: "chips" }, chips(hit, place)));
}

function chips(hit, place) {
  const parts = Object.entries(hit.terms ?? {});
  const most = parts[0]?.[1] || 1;
  const why = parts.slice(0, 4).map(([term, share]) => [term, Math.max(0.12, share / most)]);
  const rest = hit.top_terms.filter((term) => !why.some(([own]) => own === term)).map((term) => [term, 0]);
  return [...why, ...rest].slice(0, CHIPS).map(([term, share]) => chip(term, share, { tabindex: place ? "-1" : "0" }));
}

/** A term chip: a click boosts it; shift-click, right click or its cross bans it. `share` is its fill. */
export function chip(term, share, props = {}) {
  return h("span", { class: share ? "chip why" : "chip", vars: { share: share.toFixed(3) }, "data-term": term },
    h("button", { type: "button", class: "boost", "aria-label": `Boost ${term}`, title: `Boost ${term} (shift-click bans it)`, ...props }, term),
    h("button", { type: "button", class: "ban", "aria-label": `Ban ${term}`, title: `Ban ${term}`, ...props }, icon(CROSS)));
}

/** Handle clicks on chips anywhere below `place`. */
export function useChips(place) {
  place.addEventListener("click", (event) => {
    const button = event.target.closest(".chip button");
    if (!button) return;
    const { term } = button.parentElement.dataset;
    if (button.classList.contains("ban") || event.shiftKey) ban(term);
    else boost(term);
  });
  place.addEventListener("contextmenu", (event) => {
    const found = event.target.closest(".chip");
    if (found) { event.preventDefault(); ban(found.dataset.term); }
  });
}

/** Keyboard navigation: arrow keys move through the grid, which is one tab stop. */
export function useGrid() {
  useChips(grid);
  grid.addEventListener("focusin", (event) => reach(event.target.closest(".tile")));
  grid.addEventListener("keydown", (event) => {
    const at = event.target.closest(".tile");
    if (!at || event.altKey || event.metaKey || event.ctrlKey) return;
    const next = { ArrowRight: () => at.nextElementSibling, ArrowLeft: () => at.previousElementSibling, ArrowDown: () => row(at, 1), ArrowUp: () => row(at, -1), Home: () => grid.firstElementChild, End: () => grid.lastElementChild }[event.key]?.();
    if (next === undefined) return;
    event.preventDefault();
    if (next?.dataset.id) focus(next.dataset.id);
    else if (event.key === "ArrowUp") byId("q").focus();
  });
}

function reach(tile) {
  grid.querySelectorAll("[tabindex='0']").forEach((one) => one.setAttribute("tabindex", "-1"));
  tile?.querySelectorAll("[tabindex]").forEach((one) => one.setAttribute("tabindex", "0"));
}

/** The tile in the row above or below that is nearest to the centre of this one. */
function row(at, step) {
  const { top, left, width } = at.getBoundingClientRect();
  const middle = left + width / 2;
  const boxes = [...grid.children].map((tile) => ({ tile, box: tile.getBoundingClientRect() }));
  const beyond = boxes.filter(({ box }) => (step > 0 ? box.top > top + 8 : box.top < top - 8));
  const edge = step > 0 ? Math.min(...beyond.map(({ box }) => box.top)) : Math.max(...beyond.map(({ box }) => box.top));
  const line = beyond.filter(({ box }) => Math.abs(box.top - edge) < 8);
  const far = ({ box }) => Math.abs(box.left + box.width / 2 - middle);
  return line.sort((one, other) => far(one) - far(other))[0]?.tile ?? null;
}

/** Mark the result that is known to be relevant. */
export function markTruth() {
  for (const tile of grid.children) tile.classList.toggle("truth", Boolean(state.truth) && tile.dataset.id === state.truth);
}

/** The state that searches for items similar to one. */
export const moreLike = (id) => changed({ q: "", pictures: [], like: [id], unlike: [], filters: [] });
