// The facets: counts of terms and metadata values among the results; a click filters by one.

import { byId, CROSS, count, h, icon, put } from "./dom.js";
import { tokens } from "./query-syntax.js";
import { state } from "./state.js";
import { ban, meaning, require, toggle } from "./term-weights.js";

const place = byId("facets");
let unfolded = false;

/** The facet fields of a collection. */
export const fields = (about) => ["term", ...about.facets];

/** Show the facet counts of a first page of results. */
export function showFacets(counts) {
  const byLength = Object.entries(counts).sort(([a, one], [b, other]) => (b === "top_terms") - (a === "top_terms") || Object.keys(one).length - Object.keys(other).length);
  const groups = byLength.map(([field, values]) => (field === "top_terms" ? words(values) : facts(field, values)));
  const some = groups.filter(Boolean);
  place.hidden = !some.length;
  const fold = h("button", {
    type: "button", class: "fold", "aria-expanded": String(unfolded), "aria-controls": "facets",
    onclick: () => { unfolded = !unfolded; place.classList.toggle("open", unfolded); fold.setAttribute("aria-expanded", String(unfolded)); },
  }, "Refine", state.filters.length ? h("b", {}, state.filters.length) : null);
  place.classList.toggle("open", unfolded);
  put(place, fold, ...some);
}

function words(values) {
  const line = tokens(state.q);
  const has = (sign, term) => line.some((token) => token.sign === sign && (meaning.terms[token.word] ?? token.word) === term);
  return group("Words", values, {
    pressed: (term) => has("+", term),
    onclick: (term, event) => (event.shiftKey ? ban(term) : require(term)),
    title: (term) => `Only with ${term}`,
    ban,
  });
}

function facts(field, values) {
  const name = field.replace(/^meta\./, "");
  const wanted = (value) => `${name}=${value}`;
  return group(name, values, {
    pressed: (value) => state.filters.includes(wanted(value)),
    onclick: (value) => toggle(field, value),
    title: (value) => `Only ${name} ${value}`,
  });
}

function group(title, values, { pressed, onclick, title: says, ban: without = null }) {
  const rows = Object.entries(values);
  const most = Math.max(...rows.map(([, n]) => n));
  const chosen = rows.some(([value]) => pressed(value));
  // Not a long list of values that hardly two results share.
  if (!rows.length || (most < 3 && rows.length > 4 && !chosen)) return null;
  return h("section", {}, h("h2", {}, title), h("ul", {}, rows.map(([value, n]) => h("li", { vars: { share: (n / most).toFixed(3) } },
    h("button", {
      type: "button", class: "value", "aria-pressed": String(pressed(value)), title: says(value), onclick: (event) => onclick(value, event),
      oncontextmenu: (event) => { if (without) { event.preventDefault(); without(value); } },
    }, h("span", {}, value), h("small", {}, count(n))),
    without ? h("button", { type: "button", class: "ban", "aria-label": `Ban ${value}`, title: `Ban ${value}`, onclick: () => without(value) }, icon(CROSS)) : null))));
}
