// What a click on a word does to the query.

import { toast } from "./dom.js";
import { banned, boosted, required } from "./query-syntax.js";
import { change, state } from "./state.js";

// Which term each word of the line means; every answer brings it along.
export const meaning = { terms: {} };

export function boost(term) {
  change({ q: boosted(state.q, term, meaning.terms) });
  toast(`More ${term}`);
}

export function ban(term) {
  change({ q: banned(state.q, term, meaning.terms) });
  toast(`Without ${term}`);
}

export const require = (term) => change({ q: required(state.q, term, meaning.terms) });

/** Add a condition field=value, or take it back. */
export function toggle(field, value) {
  const wanted = `${field.replace(/^meta\./, "")}=${value}`;
  const without = state.filters.filter((one) => one !== wanted);
  change({ filters: without.length < state.filters.length ? without : [...without, wanted] });
}
