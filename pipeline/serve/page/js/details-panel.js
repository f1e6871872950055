// The details panel of one result: the image, the explanation of its score, all its terms, and actions.

import { byId, CROSS, h, icon, put } from "./dom.js";
import { chip, focus, moreLike, shown } from "./results-grid.js";
import * as server from "./api.js";
import { address, asked, change, closeItem, state } from "./state.js";
import { reasons, versus } from "./explanation.js";
import { thumbs } from "./steering.js";

const panel = byId("panel");
const WORDS = 28;
let open = "";

/** Open, update or close the panel to match the state. */
export async function showPanel() {
  if (!state.item) return close();
  const id = state.item;
  if (open === id && panel.open) return;
  open = id;
  panel.replaceChildren(frame(id, null), h("div", { class: "more loading" }));
  if (!panel.open) panel.showModal();
  panel.querySelector(".close").focus({ preventScroll: true });
  try {
    const found = await server.item(state.index, id);
    if (open !== id) return;
    put(panel, frame(id, found), deeds(found), reasonsPlace(id), captionsOf(found), wordsOf(found), facts(found));
    panel.scrollTop = 0;
    panel.querySelector(".close").focus({ preventScroll: true });
  } catch (error) {
    if (open === id) panel.replaceChildren(frame(id, null), h("p", { class: "failed" }, error.message));
  }
}

function close() {
  if (!panel.open) return;
  const was = open;
  open = "";
  panel.close();
  focus(was);
}

/** Add keyboard control of the panel. */
export function usePanel() {
  panel.addEventListener("cancel", (event) => { event.preventDefault(); closeItem(); });
  panel.addEventListener("click", (event) => { if (event.target === panel) closeItem(); });
  panel.addEventListener("keydown", (event) => {
    if (event.target.closest("input")) return;
    if (event.key === "ArrowRight") step(1);
    if (event.key === "ArrowLeft") step(-1);
  });
}

function step(by) {
  const next = shown[shown.findIndex((hit) => hit.id === open) + by];
  if (next && open) change({ item: next.id }, { quietly: true });
}

function frame(id, found) {
  const at = shown.findIndex((hit) => hit.id === id);
  const hit = shown[at];
  const name = found?.captions?.[0] ?? found?.label ?? "";
  const image = h("img", { src: server.thumbnail(state.index, id), alt: name, class: "thumb" });
  if (found?.original) {
    const full = h("img", { src: server.original(state.index, id), alt: name, class: "full" });
    full.addEventListener("load", () => image.replaceWith(full), { once: true });
  }
  const turn = (by, label, path) => h("button", { type: "button", class: "icon", "aria-label": label, disabled: !shown[at + by] || at < 0, onclick: () => step(by) }, icon(path));
  return h("div", { class: "frame" },
    h("div", { class: "bar" }, turn(-1, "The one before", "M12.5 4.5L7 10l5.5 5.5"), turn(1, "The next one", "M7.5 4.5L13 10l-5.5 5.5"),
      h("span", { class: "where" }, at >= 0 && hit.score ? `No. ${at + 1}` : ""),
      h("button", { type: "button", class: "icon close", "aria-label": "Close", onclick: closeItem }, icon(CROSS))),
    found?.text ? h("blockquote", {}, found.text) : h("div", { class: "picture", vars: found?.width ? { r: (found.width / found.height).toFixed(3) } : {} }, image));
}

function deeds(found) {
  const like = moreLike(found.id);
  return h("div", { class: "deeds" },
    h("a", { class: "button", href: address(like), onclick: (event) => { event.preventDefault(); change(like); } }, "More like this"),
    thumbs(found.id, "this picture"),
    found.original ? h("a", { class: "button plain", href: server.original(state.index, found.id), target: "_blank", rel: "noopener" }, "Original") : null);
}

/** Its captions; each can be used as a query whose relevant item is known. */
function captionsOf(found) {
  if (!found.captions.length) return null;
  const rows = found.captions.map((caption) => {
    const asks = { q: caption, pictures: [], like: [], unlike: [], filters: [], item: "", truth: found.id };
    return h("li", {}, h("a", { href: address({ ...state, ...asks }), title: "Search by this caption, and see where its picture comes", onclick: (event) => { event.preventDefault(); change(asks); } }, caption));
  });
  return h("section", {}, h("h2", {}, "What people wrote"), h("ul", { class: "captions" }, rows));
}

function reasonsPlace(id) {
  const place = h("section", { class: "reasons" });
  if (!asked(state)) return place;
  place.append(h("h2", {}, "Why it came"), h("div", { class: "loading" }));
  server.explain(state, id).then((why) => {
    const at = shown.findIndex((hit) => hit.id === id);
    place.replaceChildren(h("h2", {}, "Why it came"), ...reasons(why, state), ...rivals(place, at));
  }, (error) => place.replaceChildren(h("h2", {}, "Why it came"), h("p", { class: "failed" }, error.message)));
  return place;
}

/** Buttons that compare the result with its neighbours in the ranking. */
function rivals(place, at) {
  const some = [[at - 1, "above"], [at + 1, "below"]].filter(([i]) => at >= 0 && shown[i]);
  if (!some.length) return [];
  const answer = h("div", { class: "versus" });
  const ask = async ([i, where]) => {
    answer.replaceChildren(h("div", { class: "loading" }));
    try {
      answer.replaceChildren(...versus(await server.explain(state, shown[at].id, shown[i].id), shown[i].id));
    } catch (error) {
      answer.replaceChildren(h("p", { class: "failed" }, error.message));
    }
  };
  return [h("div", { class: "rivals" }, some.map((one) => h("button", { type: "button", class: "plain", onclick: () => ask(one) }, h("img", { src: server.thumbnail(state.index, shown[one[0]].id), alt: "" }), `Why is No. ${one[0] + 1} ${one[1]} it?`))), answer];
}

function wordsOf(found) {
  const rows = Object.entries(found.terms);
  const most = rows[0]?.[1] || 1;
  const first = [...new Set([...found.top_terms, ...rows.map(([term]) => term)])].slice(0, WORDS);
  return h("section", { class: "words" }, h("h2", {}, "Its words"), h("div", { class: "cloud" }, first.map((term) => chip(term, Math.max(0.04, (found.terms[term] ?? 0) / most)))),
    rows.length > WORDS ? h("p", { class: "dim" }, `and ${rows.length - WORDS} lighter ones`) : null);
}

function facts(found) {
  const rows = [["label", found.label], ...Object.entries(found.meta), ["size", found.width ? `${found.width} × ${found.height}` : null], ["file", found.uri], ["id", found.id]];
  return h("dl", { class: "facts" }, rows.filter(([, value]) => value !== null && value !== undefined).flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, [value].flat().join(", "))]));
}
