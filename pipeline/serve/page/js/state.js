// The page's state (query, options, open item). It is stored in the URL, so that links and the back button restore it.

import { tokens } from "./query-syntax.js";

const NOTHING = {
  index: "", q: "", pictures: [], like: [], unlike: [], mode: "hybrid", weight: null, written: 0, share: 0.5,
  fold: false, cutoff: true, filters: [], truth: "", item: "",
};
const LISTS = { pictures: "picture", like: "like", unlike: "unlike", filters: "filter" };
const watchers = [];

export let state = read();

function read() {
  const found = new URLSearchParams(location.search);
  const mode = found.get("mode");
  return {
    index: found.get("index") ?? "",
    q: found.get("q") ?? "",
    pictures: found.getAll("picture"),
    like: found.getAll("like"),
    unlike: found.getAll("unlike"),
    mode: ["words", "terms", "vector", "hybrid"].includes(mode) ? mode : "hybrid",
    weight: positive(found.get("weight")),
    written: positive(found.get("written")) ?? 0,
    share: Math.min(1, positive(found.get("share")) ?? 0.5),
    fold: found.get("fold") === "true",
    cutoff: found.get("cutoff") !== "false",
    filters: found.getAll("filter"),
    truth: found.get("truth") ?? "",
    item: found.get("item") ?? "",
  };
}

function positive(text) {
  const value = Number.parseFloat(text);
  return Number.isFinite(value) && value >= 0 ? value : null;
}

/** The URL of a state. */
export function address(of) {
  const made = new URLSearchParams();
  for (const [name, value] of Object.entries(of)) {
    if (Array.isArray(value)) for (const one of value) made.append(LISTS[name], one);
    else if (value !== NOTHING[name] && value !== null) made.set(name, value);
  }
  return `./${made.size ? `?${made}` : ""}`;
}

/** Whether a state searches for something; else it lists the collection. */
export const asked = ({ q, pictures, like }) => Boolean(tokens(q).some((token) => token.sign !== "-") || pictures.length || like.length);

/** The state with some fields changed; another query closes the panel, forgets the known relevant item, and is cut off.
 * Where nothing is searched for any more, there is nothing to steer away from pictures. */
export function changed(patch) {
  const asks = Object.keys(patch).some((name) => name !== "item");
  const made = { ...state, ...(asks ? { item: "", truth: "" } : {}), ...("q" in patch ? { cutoff: true } : {}), ...patch };
  return asked(made) ? made : { ...made, unlike: [] };
}

/** Change the state; `quietly` adds no history entry, for a moving slider. */
export function change(patch, { quietly = false } = {}) {
  const before = state;
  state = changed(patch);
  if (JSON.stringify(before) === JSON.stringify(state)) return;
  const opens = !before.item && state.item;
  history[quietly ? "replaceState" : "pushState"](quietly ? history.state : { opens }, "", address(state));
  for (const watcher of watchers) watcher(state, before);
}

/** Close the open item: by going back to where it was opened, so that the back button does not open it again. */
export function closeItem() {
  if (history.state?.opens) history.back();
  else change({ item: "" }, { quietly: true });
}

/** Register a function that is called with the new and the old state at every change. */
export function watch(watcher) {
  watchers.push(watcher);
}

window.addEventListener("popstate", () => {
  const before = state;
  state = read();
  for (const watcher of watchers) watcher(state, before);
});

/** Whether two states have the same query. */
export function sameQuestion(one, other) {
  const asks = ({ item: _, truth: __, ...rest }) => JSON.stringify(rest);
  return asks(one) === asks(other);
}
