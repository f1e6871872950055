// Explanations: the parts of a score as bars, and the comparison of two results.

import { h, number } from "./dom.js";
import { chip } from "./results-grid.js";
import { change } from "./state.js";

const SHOWN = 12;

/** Elements that explain one score. */
export function reasons(why, state) {
  const words = why.terms.reduce((sum, part) => sum + part.share, 0);
  const written = Object.values(why.written ?? {}).reduce((sum, share) => sum + share, 0);
  const weight = why.vector !== null && why.cosine ? why.vector / why.cosine : 0;
  const lift = Math.max(0, (why.vector ?? 0) - (why.typical ?? 0)); // what it has beyond the collection's typical picture
  const most = Math.max(0, ...[...why.terms.map((part) => part.share), ...Object.values(why.written ?? {}), lift]) || 1;
  return [
    why.matches ? null : h("p", { class: "failed" }, "It is not among the results: it shares no word and does not look near enough, or a condition, a +word or a -word keeps it out."),
    h("p", { class: "score" }, h("b", {}, number(why.score)), sum(words, written, state.mode === "hybrid" ? why.vector ?? 0 : null)),
    why.vector === null || state.mode === "vector" ? null : whole(words + written, lift),
    h("div", { class: "bars" }, bars(why, most)),
    why.cosine === null ? null : vector(why, { weight, lift, most }, state),
    missing(why),
  ].filter(Boolean);
}

function sum(words, written, vector) {
  const parts = [`${number(words)} of words`, written ? `${number(written)} of what people wrote` : null, vector === null ? null : `${number(vector)} of the vector`].filter(Boolean);
  return parts.length > 1 ? h("span", {}, ` = ${parts.join(" + ")}`) : null;
}

/** Both sides of what sets it apart: a typical picture of the collection has none of the words, and an average likeness. */
function whole(words, lift) {
  if (!(words + lift > 0)) return null;
  const share = Math.round((100 * words) / (words + lift));
  const said = (side, of) => (of >= 14 ? `${side} ${of} %` : "");
  return h("div", { class: "beyond" }, h("div", {
    class: "whole", role: "img",
    "aria-label": `Beyond a typical picture: words ${share} per cent, likeness ${100 - share} per cent`, vars: { words: `${share}%` },
  }, h("span", {}, said("words", share)), h("span", {}, said("likeness", 100 - share))), h("small", {}, "beyond a typical picture of the collection"));
}

function bars({ terms: parts, written }, most) {
  const own = Object.entries(written ?? {});
  const rest = parts.slice(SHOWN);
  const rows = parts.slice(0, SHOWN).map((part) => bar(chip(part.term, 0), part.share, part.share / most, `${number(part.asked)} × ${number(part.stored)}`));
  if (rest.length) rows.push(bar(h("span", { class: "dim" }, `${rest.length} more`), rest.reduce((sum, part) => sum + part.share, 0), 0, ""));
  for (const [word, share] of own.slice(0, SHOWN)) rows.push(bar(h("span", { class: "name" }, `“${word}”`), share, share / most, "written by people"));
  return rows;
}

const bar = (name, value, share, how) => h("div", { class: "row", title: how || null }, name, h("span", { class: "track" }, h("i", { vars: { share: Math.max(0, Math.min(1, share)).toFixed(3) } })), h("output", {}, number(value)));

function vector(why, { weight, lift, most }, state) {
  const row = state.mode === "hybrid"
    ? bar(h("span", { class: "name" }, "likeness"), why.vector, lift / most, "The bar shows what is beyond a typical picture of the collection")
    : bar(h("span", { class: "name" }, "likeness"), why.cosine, why.cosine, "the cosine of the two vectors, from -1 to 1");
  row.classList.add("vector");
  const sum = state.mode === "hybrid" ? `${number(weight)} × cosine ${why.cosine.toFixed(3)} = ${number(why.vector)}` : null;
  const typical = why.typical === null ? null : `a typical picture of the collection has ${number(why.typical)}`;
  return h("div", {}, row, h("p", { class: "dim" }, [sum, typical].filter(Boolean).join("; ")));
}

function missing(why) {
  const gone = Object.keys(why.missing);
  const near = Object.entries(why.near).flatMap(([word, own]) => Object.keys(own).map((term) => `${word} is asked as ${term}. `));
  if (!gone.length && !why.unknown.length && !near.length) return null;
  return h("p", { class: "missing" }, near,
    gone.length ? ["It has no ", ...joined(gone.slice(0, 8).map((term) => h("s", {}, term))), gone.length > 8 ? ` and ${gone.length - 8} more. ` : ". "] : [],
    why.unknown.length ? ["The collection has no word for ", ...joined(why.unknown.map((word) => h("q", {}, word))), "."] : []);
}

const joined = (parts) => parts.flatMap((part, i) => (i ? [i === parts.length - 1 ? " or " : ", ", part] : [part]));

/** Elements that compare two results; `rival` is the one that is not open in the panel. */
export function versus(found, rival) {
  const up = found.above.id === rival;
  const named = [...found.terms.map((one) => [one.term, one]), ...(found.written ?? []).map((one) => [`“${one.term}”`, one])];
  const rows = named.map(([name, one]) => [name, (one.above - one.below) * (up ? -1 : 1)]);
  if (found.vector) rows.push(["likeness", found.vector * (up ? -1 : 1)]);
  rows.sort((one, other) => Math.abs(other[1]) - Math.abs(one[1]));
  const most = Math.abs(rows[0]?.[1] ?? 1) || 1;
  return [
    h("div", { class: "tug" }, h("div", { class: "sides" }, h("span", {}, `${number(found.above.score)} against ${number(found.below.score)}`), h("span", {}, "← the other"), h("span", {}, "this one →")), rows.slice(0, 8).map(([name, by]) => h("div", { class: by < 0 ? "row left" : "row", vars: { share: (Math.abs(by) / most).toFixed(3) } }, h("span", {}, name), h("i", {}), h("output", {}, `${by > 0 ? "+" : "−"}${number(Math.abs(by))}`)))),
    found.swap === null
      ? h("p", { class: "dim" }, "No change of a few words would swap them.")
      : h("p", {}, "They would swap for ", h("button", { type: "button", class: "link", onclick: () => change({ q: found.swap }) }, found.swap)),
  ];
}
