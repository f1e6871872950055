// Words of the query that the collection does not know: which they are, and the nearest ones that it knows; and those of
// a long text that its vector leaves out.

import { count, h } from "./dom.js";
import { edited, tokens } from "./query-syntax.js";
import { change, state } from "./state.js";

/** Elements that say which words are unknown and offer known ones; a click asks for one in the place of the word. */
export function unknownWords(found) {
  const { unknown, unbanned, heard } = found;
  if (!unknown.length && !unbanned.length && heard === null) return [];
  const none = found.by_vector_alone ? "No word of this is known here: " : "Not known here: ";
  const offers = Object.entries(found.offers).flatMap(([word, terms]) => terms.map((term) => [word, term]));
  return [h("div", { class: "unheard" },
    unknown.length ? h("p", {}, none, ...listed(unknown), ".") : null,
    unbanned.length ? h("p", {}, "Not known here, so that it excludes nothing: ", ...listed(unbanned), ".") : null,
    heard === null ? null : h("p", {}, heard ? `Too long for the vector, which is of the first ${count(heard)} words alone.` : "Too long for the vector."),
    offers.length ? h("p", { class: "offers" }, h("span", {}, "Nearest known words"), offers.map(([word, term]) => offer(word, term))) : null)];
}

const listed = (words) => words.flatMap((word, i) => [i ? ", " : "", h("q", {}, word)]);

function offer(word, term) {
  const instead = () => {
    const place = tokens(state.q).findIndex((token) => token.word.toLowerCase() === word);
    return place < 0 ? term : edited(state.q, place, { word: term });
  };
  return h("button", { type: "button", class: "offer", title: `Ask for ${term} in the place of ${word}`, onclick: () => change({ q: instead() }) }, term);
}

/** The line above results that no word has found. */
export const nearestLine = () => h("h2", { class: "apart" }, "What looks nearest");
