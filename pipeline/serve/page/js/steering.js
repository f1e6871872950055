// Pictures that steer the search, by thumbs up and down: a strip of them, and the words that the query gained and lost.

import { byId, CROSS, h, icon, number, put, toast } from "./dom.js";
import { taken, times } from "./query-syntax.js";
import * as server from "./api.js";
import { address, asked, change, state } from "./state.js";
import { meaning } from "./term-weights.js";

const MOST = 8; // that the server takes of either kind
const SHOWN = 10;
const SIDES = {
  like: { other: "unlike", says: "More like", thumb: "Thumbs up", done: "More like this" },
  unlike: { other: "like", says: "Less like", thumb: "Thumbs down", done: "Less like this" },
};
const THUMB = "M3.4 9.3h2.7v7.2H3.4zM6.1 9.3l3-5.9c1.4 0 2.1 1 1.8 2.2l-.6 2.7h4.6c1.1 0 1.8.9 1.6 1.9l-1 4.8c-.2.9-.9 1.5-1.8 1.5H6.1";

/** The two buttons of a picture; `name` says which it is. */
export const thumbs = (id, name, props = {}) => h("span", { class: "thumbs" }, Object.entries(SIDES).map(([side, { thumb, done }]) => h("button", {
  type: "button", class: `thumb ${side}`, "aria-label": `${thumb}: ${name}`, title: `${thumb}: ${done.toLowerCase()}`, onclick: () => steer(side, id), ...props,
}, icon(THUMB))));

function steer(side, id) {
  const { other, done } = SIDES[side];
  if (side === "unlike" && !asked(state)) return toast("Say first what you look for: by words, or by a thumbs up.");
  change({ [side]: [...state[side].filter((one) => one !== id), id].slice(-MOST), [other]: state[other].filter((one) => one !== id) });
  toast(done);
}

/** Show the pictures, and the words that the answer says. */
export function showSteering(found) {
  const parts = [
    ...Object.keys(SIDES).filter((side) => state[side].length).map(group),
    words("Gained", "Words of the pictures to be like, with the weights that they add", found?.gained, gained),
    words("Lost", "Words of the pictures not to be like: their weights fell below 0, so they count nothing; a click bans one", found?.lost, lost),
  ].filter(Boolean);
  byId("steering").hidden = !parts.length;
  put(byId("steering"), ...parts);
}

function group(side) {
  const { says } = SIDES[side];
  return h("div", { class: `side ${side}`, role: "group", "aria-label": says }, h("span", { class: "says" }, icon(THUMB), says), state[side].map((id, i) => h("span", { class: "drop" },
    h("a", { href: address({ ...state, item: id }), "aria-label": `${says} picture ${i + 1}`, onclick: (event) => { event.preventDefault(); change({ item: id }); } }, h("img", { src: server.thumbnail(state.index, id), alt: "" })),
    h("button", { type: "button", class: "out", "aria-label": `Take out: ${says.toLowerCase()} picture ${i + 1}`, onclick: () => change({ [side]: state[side].filter((one) => one !== id) }) }, icon(CROSS)))));
}

function words(title, says, weights, chip) {
  const rows = Object.entries(weights ?? {});
  return rows.length ? h("div", { class: "moved", role: "group", "aria-label": `Words ${title.toLowerCase()}` }, h("span", { class: "says", title: says }, title), rows.slice(0, SHOWN).map(([term, weight]) => chip(term, weight)), rows.length > SHOWN ? h("span", { class: "dim" }, `${rows.length - SHOWN} more`) : null) : null;
}

/** A chip: its word becomes one of the query's own, with the weight that it has now, which a person then may change. */
function gained(term, weight) {
  const factor = Math.max(0.01, Number((weight + times(state.q, term, meaning.terms)).toFixed(2)));
  return pill(term, weight, { kind: "gained", mark: "+", says: `Make ${term} a word of the query`, own: { sign: "", factor } });
}

const lost = (term, weight) => pill(term, weight, { kind: "lost", mark: "−", says: `Ban ${term}`, own: { sign: "-", factor: null } });

function pill(term, weight, { kind, mark, says, own }) {
  const become = (token) => change({ q: taken(state.q, term, token, meaning.terms) });
  return h("span", { class: `pill ${kind}`, "data-term": term },
    h("button", { type: "button", class: "own", "aria-label": `${says}, ${mark}${number(Math.abs(weight))}`, title: says, onclick: () => become(own) }, term, h("i", {}, `${mark}${number(Math.abs(weight))}`)),
    h("button", { type: "button", class: "out", "aria-label": `Leave ${term} as it was`, title: `Leave ${term} as it was`, onclick: () => become({ sign: "", factor: times(state.q, term, meaning.terms) }) }, icon(CROSS)));
}
