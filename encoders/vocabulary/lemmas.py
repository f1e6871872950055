"""Lemmatisation: word forms to the term that they share."""

from collections.abc import Mapping

from lexel.encoders.vocabulary.tokenize import is_word, without_clitic


class Lemmas(dict[str, str]):
    """A cache of form -> term. Stop words, numbers, single letters and banned words have the empty term.

    `seen` counts the forms in the captions; `aliases` maps forms to words whose term they get.
    """

    def __init__(
        self, seen: Mapping[str, int], stop_words: frozenset[str], aliases: Mapping[str, str], banned: frozenset[str]
    ) -> None:
        self.seen, self.stop_words, self.banned = seen, stop_words, banned
        self.aliases: Mapping[str, str] = aliases
        # "doggy = dogs" gives the term of "dogs", unless "dogs" has an alias too; an alias may name a stop word.
        terms = {word: word if word in aliases else self._folded(word) or word for word in aliases.values()}
        self.aliases = terms | {form: terms[word] for form, word in aliases.items()}

    def __missing__(self, form: str) -> str:
        forms = (form, bare := without_clitic(form), self._dictionary_form(bare))
        named = next((self.aliases[word] for word in forms if word in self.aliases), None)
        term = named or self._folded(form)
        self[form] = "" if {form, term} & self.banned else term
        return self[form]

    def _folded(self, form: str) -> str:
        bare = without_clitic(form)
        term = self._dictionary_form(bare)
        return term if len(term) > 1 and not term.isdigit() and not {form, bare, term} & self.stop_words else ""

    def _dictionary_form(self, form: str) -> str:
        from simplemma import lemmatize  # its tables are large, and only building a vocabulary needs them

        lemma = str(lemmatize(form, lang="en")).lower()
        if lemma != form and (lemma in self.seen or lemma in self.aliases) and is_word(lemma):
            return lemma
        # simplemma leaves "sitting" unchanged and turns "playing" into "playe". Fold an -ing form into its verb if the
        # captions use the verb often enough: "building" stays, since captions hardly ever say "build".
        verbs = [stem + e for stem in stems(form) for e in ("", "e")]
        best = max(verbs, key=self._uses, default=form)
        return best if verbs and self._uses(best) >= self.seen.get(form, 0) / 5 else form

    def _uses(self, verb: str) -> int:
        inflected = {verb, verb + "s", verb + "es", verb.removesuffix("e") + "ed"}
        return sum(self.seen.get(form, 0) for form in inflected) if verb in self.seen else 0


def stems(form: str) -> list[str]:
    """The possible stems of a regular -ing form, with and without a doubled last letter ("sitting": "sitt", "sit")."""
    stem = form.removesuffix("ing")
    if stem == form or len(stem) < 3:
        return []
    return [stem, stem[:-1]] if stem[-1] == stem[-2] else [stem]
