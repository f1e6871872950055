// The query syntax: words with a factor (dog^2), required words (+snow) and excluded ones (-cat).
// The server has the same parser in lexel.pipeline.search.query_syntax.

const TOKEN = /^([+-]?)([\p{L}\p{N}].*?)(?:\^(\d+(?:\.\d*)?|\.\d+))?$/su;
const MOST = 9;

/** The tokens of a query: {sign, word, factor}; `factor` is null if there is none. */
export function tokens(line) {
  return line.split(/\s+/).filter(Boolean).map((text) => {
    const found = TOKEN.exec(text);
    return found
      ? { sign: found[1], word: found[2], factor: found[3] === undefined ? null : Number.parseFloat(found[3]) }
      : { sign: "", word: text, factor: null };
  });
}

/** The query text of tokens. */
export function written(list) {
  return list.map(({ sign, word, factor }) => sign + word + (factor === null ? "" : `^${factor}`)).join(" ");
}

/** Whether a token has this term; `terms` maps the query's words to terms, so that dog also matches the word dogs. */
const means = (token, term, terms) => (terms[token.word] ?? token.word.toLowerCase()) === term;

/** The query with the factor of this term raised by one. */
export function boosted(line, term, terms) {
  const list = tokens(line).filter((token) => !(token.sign === "-" && means(token, term, terms)));
  const there = list.find((token) => means(token, term, terms));
  if (there) there.factor = Math.min(MOST, Math.floor(there.factor ?? 1) + 1);
  else list.push({ sign: "", word: term, factor: 2 });
  return written(list);
}

/** The query with this term excluded; a second call undoes it. */
export function banned(line, term, terms) {
  const all = tokens(line);
  const list = all.filter((token) => !means(token, term, terms));
  const was = all.some((token) => token.sign === "-" && means(token, term, terms));
  return written(was ? list : [...list, { sign: "-", word: term, factor: null }]);
}

/** The query with this term required; a second call undoes it. */
export function required(line, term, terms) {
  const list = tokens(line).filter((token) => !(token.sign === "-" && means(token, term, terms)));
  const there = list.find((token) => means(token, term, terms));
  if (!there) return written([...list, { sign: "+", word: term, factor: null }]);
  if (there.sign === "+") return written(list.filter((token) => token !== there));
  there.sign = "+";
  return written(list);
}

/** How often a query has this term, without factors and bans. */
export const times = (line, term, terms) => tokens(line).filter((token) => token.sign !== "-" && token.factor === null && means(token, term, terms)).length;

/** The query with this term as a word of its own, with this sign and factor, in the place of one that means it. */
export function taken(line, term, { sign, factor }, terms) {
  const all = tokens(line);
  const there = all.find((token) => means(token, term, terms));
  const list = all.filter((token) => token === there || !means(token, term, terms));
  if (there && there.sign !== "-" && sign !== "-") there.factor = factor;
  else return written([...list.filter((token) => token !== there), { sign, word: term, factor }]);
  return written(list);
}

/** The query with the token at this index changed, or removed if `patch` is null. */
export function edited(line, place, patch) {
  const list = tokens(line);
  if (patch === null) list.splice(place, 1);
  else Object.assign(list[place], patch);
  return written(list);
}
