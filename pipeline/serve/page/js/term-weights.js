// Clicks on terms and facet values: change the query or the filters.

import { toast } from "./dom.js";
import { banned, boosted, required } from "./query-syntax.js";
import { change, state } from "./state.js";

// The term of each word in the query, from the last response.
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

/** Add the filter field=value, or remove it. */
export function toggle(field, value) {
  const wanted = `${field.replace(/^meta\./, "")}=${value}`;
  const without = state.filters.filter((one) => one !== wanted);
  change({ filters: without.length < state.filters.length ? without : [...without, wanted] });
}
