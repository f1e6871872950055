// The dialog with the current query as curl, as a lexel command and as OpenSearch query DSL.

import { byId, copy, CROSS, h, icon } from "./dom.js";
import * as server from "./api.js";
import { state } from "./state.js";

const sheet = byId("dsl");

/** Open the dialog. */
export async function showQuery() {
  sheet.replaceChildren(head(), h("div", { class: "loading" }));
  sheet.showModal();
  try {
    const body = await server.dsl(state);
    sheet.replaceChildren(head(), ...ways(body));
  } catch (error) {
    sheet.replaceChildren(head(), h("p", { class: "failed" }, error.message));
  }
}

/** Close the dialog by a click outside. */
export function useQuery() {
  sheet.addEventListener("click", (event) => { if (event.target === sheet) sheet.close(); });
}

const head = () => h("div", { class: "bar" }, h("h2", {}, "This query elsewhere"), h("button", { type: "button", class: "icon close", "aria-label": "Close", onclick: () => sheet.close() }, icon(CROSS)));

function ways(body) {
  const curl = (asks) => `curl -s "$OPENSEARCH_URL/${state.index}/_search" -H 'Content-Type: application/json' -d '${JSON.stringify(asks).replaceAll("'", "'\\''")}'`;
  const all = [["curl", curl(body), curl(short(body))], ["lexel", command(), command()], ["OpenSearch DSL", JSON.stringify(body, null, 2), JSON.stringify(short(body), null, 2)]];
  return all.filter(([, text]) => text).map(([name, text, brief]) => h("section", {}, h("div", { class: "bar" }, h("h3", {}, name), h("button", { type: "button", class: "plain", "aria-label": `Copy ${name}`, onclick: () => copy(text) }, "Copy")), h("pre", { tabindex: "0" }, brief)));
}

/** The query with long vectors shortened for display; the copied text is complete. */
function short(part) {
  if (Array.isArray(part)) return part.length > 24 && part.every((x) => typeof x === "number") ? [...part.slice(0, 3).map((x) => Number(x.toFixed(4))), `… ${part.length} numbers`] : part.map(short);
  if (part && typeof part === "object") return Object.fromEntries(Object.entries(part).map(([name, own]) => [name, short(own)]));
  return part;
}

function command() {
  if (state.pictures.length || !(state.q || state.like.length)) return "";
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const options = [["--index", state.index], ["--mode", state.mode], ...state.filters.map((one) => ["--filter", quoted(one)]), ...state.like.map((id) => ["--like", id]), ...state.unlike.map((id) => ["--unlike", id])];
  if (state.weight !== null) options.push(["--weight", state.weight]);
  return `lexel search ${state.q ? `-- ${quoted(state.q)}` : ""} ${options.flat().join(" ")}${state.fold ? " --fold" : ""}${state.cutoff ? "" : " --no-cutoff"}`.replace(/^lexel search -- ('.*?') (.*)$/s, "lexel search $2 -- $1");
}
