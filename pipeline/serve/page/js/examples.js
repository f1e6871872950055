// Example queries: captions of the collection, whose image is known.

import { byId, h } from "./dom.js";
import { focus, shown } from "./results-grid.js";
import * as server from "./api.js";
import { address, change, state } from "./state.js";

const place = byId("examples");
let seed = Math.floor(Math.random() * 1e6);

/** Offer some if there is no query; if the query is one of them, show the rank of its image. */
export async function showExamples(about) {
  if (state.truth && state.q) return verdict();
  if (!about?.captioned || about.side === "text" || state.q || state.pictures.length || state.like.length) return place.replaceChildren();
  if (place.querySelector("ul")) return;
  const found = await server.examples(state.index, seed).catch(() => ({ examples: [] }));
  if (!found.examples.length) return place.replaceChildren();
  place.replaceChildren(
    h("p", {}, "Try a caption that somebody wrote for one of these pictures, and see whether it comes first ", h("button", { type: "button", class: "link", onclick: () => { seed += 1; place.replaceChildren(); showExamples(about); } }, "others")),
    h("ul", {}, found.examples.map(({ q, id }) => h("li", {}, h("a", { href: address({ ...state, q, truth: id }), onclick: (event) => { event.preventDefault(); change({ q, truth: id }); } }, q)))));
}

async function verdict() {
  const { truth } = state;
  const at = shown.findIndex((hit) => hit.id === truth);
  const found = at >= 0 ? { rank: at + 1 } : await server.rank(state, truth).catch(() => null);
  if (!found || truth !== state.truth) return;
  const said = found.rank === null ? `is not among the first ${found.of}` : found.rank === 1 ? "comes first" : `comes as No. ${found.rank}`;
  place.replaceChildren(h("p", { class: found.rank === 1 ? "verdict right" : "verdict" },
    h("button", { type: "button", "aria-label": "Show the picture", onclick: () => (shown.some((hit) => hit.id === truth) ? focus(truth) : change({ item: truth })) }, h("img", { src: server.thumbnail(state.index, truth), alt: "" })),
    h("span", {}, "The picture that this was written for ", h("b", {}, said), ".")));
}
