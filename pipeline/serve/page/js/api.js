// Requests to the server's API. Each returns the JSON or throws an Error with the server's message.

import { content } from "./uploaded-images.js";

const PAGE = 30;

async function answered(address, options) {
  let response;
  try {
    response = await fetch(address, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer; see that lexel serve still runs.");
  }
  const found = await response.json().catch(() => ({}));
  if (response.ok) return found;
  const failure = new Error(found.error ?? `The server answered ${response.status}.`);
  failure.status = response.status;
  throw failure;
}

const get = (path, fields, signal) => answered(`${path}?${asParameters(fields)}`, { signal });

function asParameters(fields) {
  const made = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== null && one !== "") made.append(name, one);
  }
  return made;
}

/** Send a state to `path`: by GET, or by a form if there are uploaded images. */
async function ask(path, state, more, signal, own = {}) {
  const { q, like, unlike, mode, weight, written, share, fold, index } = state;
  const cutoff = state.cutoff ? null : false;
  const written_weight = mode === "vector" ? null : written || null;
  const fields = { q, like, unlike, mode, weight, written_weight, share, cutoff, fold, index, filter: state.filters, ...more };
  if (!state.pictures.length) return get(path, { ...fields, ...own }, signal);
  const form = new FormData();
  for (const [name, value] of asParameters(fields)) form.append(name, value);
  for (const id of state.pictures) {
    const picture = await content(id);
    if (!picture) throw new Error("That picture is no longer here; drop it again.");
    form.append("image", picture, "picture");
  }
  return answered(`${path}?${asParameters(own)}`, { method: "POST", body: form, signal });
}

/** A page of results; the first page also has the counts of these facets. */
export const search = (state, { page = null, facets = [], signal } = {}) =>
  ask("search", state, page ? { k: PAGE, page } : { k: PAGE, facet: facets, facet_size: 14 }, signal);

/** The query that is sent to OpenSearch. */
export const dsl = async (state) => (await ask("search", state, { k: PAGE, dsl: true })).dsl;

/** The explanation of an item's score, or the comparison of two items. */
export const explain = (state, id, against = null) => ask("explain", state, {}, undefined, { id, against });

export const indices = () => answered("indices");
export const completions = (index, prefix, signal) => get("terms", { index, prefix, k: 8 }, signal);
export const examples = (index, seed) => get("examples", { index, seed, k: 4 });
export const rank = (state, id) => ask("rank", state, { id });
export const item = (index, id) => get(`images/${encodeURIComponent(id)}`, { index });
export const thumbnail = (index, id) => `images/${encodeURIComponent(id)}/thumbnail?${asParameters({ index })}`;
export const original = (index, id) => `images/${encodeURIComponent(id)}/original?${asParameters({ index })}`;
