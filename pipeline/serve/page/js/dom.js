// Helpers that create DOM elements.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** An element: `on*` are listeners, `vars` CSS variables, the rest attributes; null and false are ignored. */
export function h(tag, props = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
    else if (name === "vars") for (const [key, own] of Object.entries(value)) made.style.setProperty(`--${key}`, own);
    else made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

const controls = (place) => [...place.querySelectorAll("a, button:not(:disabled), input")];
const nameOf = (control) => control.getAttribute("aria-label") ?? (control.title || control.textContent);

/** Replace the children of `place`; null and false are ignored. A control that had the focus passes it on: to the one of
 * its name, else to the one in its place, else to the results, so that the next Tab does not begin at the top again.
 */
export function put(place, ...children) {
  const had = document.activeElement;
  const at = controls(place).indexOf(had);
  place.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  if (at < 0) return;
  const left = controls(place).filter((control) => control.checkVisibility());
  const next = left.find((control) => nameOf(control) === nameOf(had)) ?? left[Math.min(at, left.length - 1)] ?? byId("results");
  next.focus({ preventScroll: true });
}

/** An SVG icon: one path on a 20 x 20 grid. */
export function icon(path) {
  const made = document.createElementNS(SVG, "svg");
  made.setAttribute("viewBox", "0 0 20 20");
  made.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  made.append(line);
  return made;
}

export const CROSS = "M5.5 5.5l9 9M14.5 5.5l-9 9";
export const MINUS = "M5 10h10";
export const PLUS = "M10 5v10M5 10h10";

export const count = (n) => n.toLocaleString("en");
export const number = (x) => (Math.abs(x) >= 100 ? x.toFixed(0) : Math.abs(x) >= 10 ? x.toFixed(1) : x.toFixed(2));

let fading = 0;

/** Show a short message about what has just been done. */
export function toast(text) {
  const place = byId("toast");
  place.textContent = text;
  place.classList.add("shown");
  clearTimeout(fading);
  fading = setTimeout(() => place.classList.remove("shown"), 2600);
}

/** Copy a text; if the clipboard API is not available (without https), by a selection. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = h("textarea", { class: "away" });
    area.value = text;
    (document.querySelector("dialog[open]") ?? document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  toast("Copied");
}
