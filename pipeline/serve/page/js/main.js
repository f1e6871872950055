// The page: when the state (state.js) changes, searches (api.js) and shows the results (results-grid.js and others).

import { showBox, useBox } from "./search-box.js";
import { byId, h, put } from "./dom.js";
import { showExamples } from "./examples.js";
import { fields, showFacets } from "./facets.js";
import { add, bones, dim, fill, markTruth, useChips, useGrid } from "./results-grid.js";
import { showPanel, usePanel } from "./details-panel.js";
import { showQuery, useQuery } from "./show-query.js";
import * as server from "./api.js";
import { change, sameQuestion, state, watch } from "./state.js";
import { meaning } from "./term-weights.js";
import { showLine, showTools } from "./search-options.js";
import { nearestLine, unknownWords } from "./unknown-words.js";
import { showSteering } from "./steering.js";

let collections = [];
let asking = null; // the AbortController of the current request
let next = null; // the parameter of the next page

const about = () => collections.find((one) => one.name === state.index);
const show = () => showTools(about(), { onquery: showQuery });

async function ask() {
  asking?.abort();
  const own = new AbortController();
  asking = own;
  busy(true);
  next = null;
  put(byId("notice"));
  put(byId("end"));
  const slow = setTimeout(() => dim(true), 150);
  try {
    const found = await server.search(state, { facets: fields(about()), signal: own.signal });
    meaning.terms = found.words;
    next = found.next;
    fill(found.hits);
    showFacets(found.facets);
    showSteering(found);
    showLine(found);
    sayWhatIsMissing(found);
    scrollTo({ top: 0 });
    await showExamples(about());
    more();
  } catch (error) {
    if (error.name !== "AbortError") failed(error);
  } finally {
    clearTimeout(slow);
    if (asking === own) { dim(false); busy(false); }
  }
}

const busy = (on) => byId("grid").setAttribute("aria-busy", String(on));

/** Load the next page when the end of the current one is near. */
async function more() {
  const page = next;
  if (!page || byId("end").getBoundingClientRect().top > innerHeight + 900) return;
  next = null;
  const { signal } = asking;
  bones(6);
  try {
    const found = await server.search(state, { page, signal });
    add(found.hits);
    next = found.next;
    if (!next) sayEnd();
    else requestAnimationFrame(more);
  } catch (error) {
    if (error.name !== "AbortError") { add([]); byId("end").replaceChildren(h("p", { class: "failed" }, error.message, " ", again())); }
  }
}

function sayEnd() {
  const ranked = state.mode === "hybrid" || state.mode === "vector";
  const asks = state.q || state.pictures.length || state.like.length;
  byId("end").replaceChildren(h("p", { class: "dim" }, ranked && asks ? "That is as far as this mode ranks; words and terms go on." : "That is all."));
}

function sayWhatIsMissing(found) {
  const said = unknownWords(found);
  if (found.hits.length) return byId("notice").replaceChildren(...said, ...(found.by_vector_alone ? [nearestLine()] : []));
  const ways = [
    state.mode === "words" || state.mode === "terms" ? h("button", { type: "button", class: "button", onclick: () => change({ mode: "hybrid" }) }, "Ask the vector too") : null,
    state.cutoff && found.by_vector_alone ? h("button", { type: "button", class: "button", onclick: () => change({ cutoff: false }) }, "Show the nearest all the same") : null,
    state.filters.length || /(^|\s)[+-]/.test(state.q) ? h("button", { type: "button", class: "button", onclick: () => change({ filters: [], q: state.q.replace(/(^|\s)-\S+/g, " ").replace(/(^|\s)\+/g, " ").trim() }) }, "Without conditions") : null,
  ];
  byId("notice").replaceChildren(...said, h("div", { class: "empty" }, h("h2", {}, "Nothing found"), h("p", {}, found.silence), ...ways.filter(Boolean)));
}

const again = () => h("button", { type: "button", class: "link", onclick: begin }, "Try again");

function failed(error) {
  fill([]);
  showFacets({});
  showSteering(null);
  showLine(null);
  const steered = error.status === 404 && (state.like.length || state.unlike.length);
  byId("notice").replaceChildren(h("div", { class: "empty bad" }, h("h2", {}, error.status === 503 ? "The search engine is away" : "That did not work"), h("p", {}, error.message), again(), steered ? h("button", { type: "button", class: "link", onclick: () => change({ like: [], unlike: [] }) }, "Without the pictures to be like or unlike") : null));
}

/** Load the list of collections, then search. */
async function begin() {
  bones(18, { anew: true });
  try {
    collections = (await server.indices()).indices;
  } catch (error) {
    return failed(error);
  }
  if (!about()) state.index = collections[0].name;
  const choice = byId("index");
  choice.replaceChildren(...collections.map((one) => h("option", { value: one.name, selected: one.name === state.index }, one.name)));
  choice.hidden = collections.length < 2;
  show();
  showBox();
  showSteering(null);
  showLine(null);
  await ask();
  await showPanel();
}

watch((now, before) => {
  if (!about()) now.index = collections[0]?.name ?? "";
  document.title = now.q ? `${now.q} – lexel` : "lexel";
  showBox();
  if (!document.activeElement?.matches("input[type=range]") || now.mode !== before.mode) show();
  if (!sameQuestion(now, before)) { byId("examples").replaceChildren(); ask(); }
  else if (now.truth !== before.truth) { markTruth(); showExamples(about()); }
  byId("index").value = now.index;
  showPanel();
});

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input:not([type=range]):not([type=checkbox]), textarea, select");
  if (event.key === "/" && !typing && !document.querySelector("dialog[open]")) { event.preventDefault(); byId("q").focus(); byId("q").select(); }
});
byId("index").addEventListener("change", (event) => change({ index: event.target.value, filters: [], like: [], unlike: [] }));
new IntersectionObserver(() => more(), { rootMargin: "900px" }).observe(byId("end"));
useBox();
useGrid();
useChips(byId("panel"));
usePanel();
useQuery();
begin();
