// The search options: mode, vector weight, text share, folding of near-duplicates; and the query word by word.

import { byId, CROSS, count, h, icon, MINUS, number, PLUS, put } from "./dom.js";
import { edited, tokens } from "./query-syntax.js";
import { asked, change, state } from "./state.js";

const MODES = {
  hybrid: "Words and vector in one score",
  words: "Words, asked of OpenSearch alone",
  terms: "Weighted words; pictures ask by theirs",
  vector: "Likeness as a whole; words only steer",
};
const FURTHEST = 0.95;
let own = 10; // the encoder's calibrated vector weight

/** The slider position (0 to 100) of a weight; the encoder's own is in the middle. */
const placeOf = (weight) => Math.round((100 * weight) / (weight + own));
const weightAt = (place) => (own * Math.min(FURTHEST, place / 100)) / (1 - Math.min(FURTHEST, place / 100));

/** Show the controls for the state and a collection. */
export function showTools(about, { onquery }) {
  const pictures = state.pictures.length + state.like.length;
  own = about ? (pictures && !state.q ? about.weight.image : about.weight.text) : own;
  put(
    byId("tools"),
    h("div", { class: "modes", role: "group", "aria-label": "Mode" }, Object.entries(MODES).map(([mode, says]) => modeButton(mode, says))),
    state.mode === "hybrid" ? slider({ label: "Balance", from: "words", to: "vector", value: state.weight === null ? 50 : placeOf(state.weight), says: (at) => (at === 50 ? "as calibrated" : `weight ${number(weightAt(at))}`), set: (at, quietly) => change({ weight: at === 50 ? null : Number(weightAt(at).toPrecision(3)) }, { quietly }) }) : null,
    pictures && state.q ? slider({ label: "Share", from: "picture", to: "words", value: Math.round(state.share * 100), says: (at) => `${at} % words`, set: (at, quietly) => change({ share: at / 100 }, { quietly }) }) : null,
    about?.written && state.q && state.mode !== "vector" ? slider({ label: "Written by people", from: "learned", to: "written", value: Math.min(100, Math.round(state.written * 10)), says: (at) => (at ? `weight ${number(at / 10)}` : "off"), set: (at, quietly) => change({ written: at / 10 }, { quietly }), rest: 0 }) : null,
    h("label", { class: "switch", title: "Show only the best of near-duplicates" }, h("input", { type: "checkbox", role: "switch", checked: state.fold, onchange: (event) => change({ fold: event.target.checked }) }), h("span", {}, "Fold copies")),
    h("button", { type: "button", class: "quiet", onclick: onquery }, "Query"),
  );
}

function modeButton(mode, says) {
  const off = mode === "words" && state.pictures.length > 0;
  return h("button", {
    type: "button", "aria-pressed": String(state.mode === mode), title: off ? "A picture of yours is no words; choose terms" : says, disabled: off,
    onclick: () => change({ mode }),
  }, mode);
}

function slider({ label, from, to, value, says, set, rest = 50 }) {
  const said = h("output", {}, says(value));
  let waiting = 0;
  const range = h("input", {
    type: "range", min: "0", max: "100", step: "1", value: String(value), "aria-label": `${label}: ${from} to ${to}`, "aria-valuetext": says(value), vars: { at: `${value}%` },
    oninput: (event) => {
      const at = Number(event.target.value);
      said.textContent = says(at);
      event.target.setAttribute("aria-valuetext", says(at));
      event.target.style.setProperty("--at", `${at}%`);
      clearTimeout(waiting);
      waiting = setTimeout(() => set(at, true), 120);
    },
    ondblclick: () => set(rest, false),
  });
  return h("div", { class: from === "picture" ? "slider share" : "slider" }, h("span", {}, from), range, h("span", {}, to), said);
}

/** Show the query word by word, the filters, and the number of matches. */
export function showLine(found) {
  const words = tokens(state.q).map((token, i) => pill(token, i, found)).filter(Boolean);
  const conditions = state.filters.map((filter) => h("span", { class: "pill fact" }, h("b", {}, filter.replace("=", ": ")), takeOut(filter, () => change({ filters: state.filters.filter((one) => one !== filter) }))));
  put(byId("line"), ...words, ...conditions, h("span", { class: "total" }, found ? total(found) : "", found && asked(state) ? h("small", {}, ` ${found.took_ms} ms`) : ""));
}

function total(found) {
  const all = count(found.total);
  if (!asked(state)) return `${all} in all`;
  if (found.by_vector_alone && found.total) return `0 match, ${all} look alike`;
  if (state.mode === "vector") return `the ${all} nearest`;
  return `${all} ${state.q ? "match" : "share a word or look alike"}${state.fold ? ", copies too" : ""}`;
}

function pill(token, place, found) {
  const { sign, word, factor } = token;
  const unknown = found?.unknown.includes(word.toLowerCase());
  const near = Object.entries(found?.near[word.toLowerCase()] ?? {});
  if (!sign && factor === null && !unknown && !near.length && !found?.words[word]) return null; // a stop word
  const kind = sign === "-" ? "banned" : sign === "+" ? "required" : unknown ? "unknown" : near.length ? "near" : "";
  const set = (patch) => change({ q: edited(state.q, place, patch) });
  const steps = sign === "-" || unknown || factor === 0 ? [] : [
    h("button", { type: "button", "aria-label": `Less ${word}`, onclick: () => set({ factor: less(factor) }) }, icon(MINUS)),
    h("button", { type: "button", "aria-label": `More ${word}`, onclick: () => set({ factor: more(factor) }) }, icon(PLUS)),
  ];
  const title = { banned: found?.unbanned.includes(word.toLowerCase()) ? "The collection has no such word, so that this excludes nothing" : "None of the results has this word", required: "Every result has this word", unknown: "The collection has no such word; only the vector hears it", near: "The collection has no such word; this is the nearest that it has" }[kind] ?? null;
  return h("span", { class: `pill ${kind}`, title }, h("b", {}, `${sign === "-" ? "no " : sign}${word}`), factor === null ? null : h("i", {}, `×${factor}`), sign === "-" ? null : near.map(([term, weight]) => h("i", {}, `as ${term} ${weight.toFixed(1)}`)), ...steps, takeOut(word, () => set(null)));
}

const less = (factor) => ((factor ?? 1) > 1 ? (factor - 1 === 1 ? null : Math.max(1, factor - 1)) : Math.max(0.25, (factor ?? 1) / 2));
const more = (factor) => ((factor ?? 1) >= 1 ? Math.min(9, (factor ?? 1) + 1) : factor * 2 === 1 ? null : factor * 2);

const takeOut = (what, onclick) => h("button", { type: "button", class: "out", "aria-label": `Take out ${what}`, onclick }, icon(CROSS));
