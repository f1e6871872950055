// The query line: words, of which some count more (dog^2), some must be there (+snow) and some must not (-cat).
// The server reads it alike, in lexel.pipeline.search.query_syntax.

const TOKEN = /^([+-]?)([\p{L}\p{N}].*?)(?:\^(\d+(?:\.\d*)?|\.\d+))?$/su;
const MOST = 9;

/** The tokens of a line: {sign, word, factor}; `factor` is null where none is written. */
export function tokens(line) {
  return line.split(/\s+/).filter(Boolean).map((text) => {
    const found = TOKEN.exec(text);
    return found
      ? { sign: found[1], word: found[2], factor: found[3] === undefined ? null : Number.parseFloat(found[3]) }
      : { sign: "", word: text, factor: null };
  });
}

/** The line of some tokens. */
export function written(list) {
  return list.map(({ sign, word, factor }) => sign + word + (factor === null ? "" : `^${factor}`)).join(" ");
}

/** `terms` says which term a word of the line means: clicking dog also finds the word dogs. */
const means = (token, term, terms) => (terms[token.word] ?? token.word.toLowerCase()) === term;

/** The line with this term counting once more. */
export function boosted(line, term, terms) {
  const list = tokens(line).filter((token) => !(token.sign === "-" && means(token, term, terms)));
  const there = list.find((token) => means(token, term, terms));
  if (there) there.factor = Math.min(MOST, Math.floor(there.factor ?? 1) + 1);
  else list.push({ sign: "", word: term, factor: 2 });
  return written(list);
}

/** The line without this term, and without what has it; once more takes that back. */
export function banned(line, term, terms) {
  const all = tokens(line);
  const list = all.filter((token) => !means(token, term, terms));
  const was = all.some((token) => token.sign === "-" && means(token, term, terms));
  return written(was ? list : [...list, { sign: "-", word: term, factor: null }]);
}

/** The line that asks for this term in every result; once more takes that back. */
export function required(line, term, terms) {
  const list = tokens(line).filter((token) => !(token.sign === "-" && means(token, term, terms)));
  const there = list.find((token) => means(token, term, terms));
  if (!there) return written([...list, { sign: "+", word: term, factor: null }]);
  if (there.sign === "+") return written(list.filter((token) => token !== there));
  there.sign = "+";
  return written(list);
}

/** The line with the token at this place changed, or taken out where `patch` is null. */
export function edited(line, place, patch) {
  const list = tokens(line);
  if (patch === null) list.splice(place, 1);
  else Object.assign(list[place], patch);
  return written(list);
}
