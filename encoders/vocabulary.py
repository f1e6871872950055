"""The words that pictures are indexed under: which forms people type, and the term each one means."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from lexel.encoders.errors import EncoderError
from lexel.encoders.stopwords import STOP_WORDS

# Letters and digits, with one apostrophe inside ("girl's"). mappings/index.json gives OpenSearch the same pattern in
# Java's spelling; a test runs both over the same captions.
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
# A term becomes part of a field name (`terms.dog`) and of a `dog|315` token, so it may hold none of their separators.
_SAFE_TERM = re.compile(r"[^\s.|\x00]+")


def words(text: str) -> list[str]:
    """The lower-case word forms of `text`, in order. The one tokeniser of the project."""
    return _WORD.findall(text.lower())


@dataclass(frozen=True)
class Vocabulary:
    """`terms[i]` is the i-th term; `forms` maps each word form that people type to its term.

    `document_frequency[i]` is the share of the captions it was built from that hold the term, between 0 and 1.
    """

    terms: tuple[str, ...]
    forms: Mapping[str, str]
    document_frequency: tuple[float, ...] = field(repr=False)

    def __post_init__(self) -> None:
        known = set(self.terms)
        if len(known) != len(self.terms) or len(self.document_frequency) != len(self.terms):
            raise EncoderError("The vocabulary is broken: each term must stand once and have one document frequency.")
        if not all(0 <= share <= 1 for share in self.document_frequency):
            raise EncoderError("The vocabulary is broken: a document frequency is a share between 0 and 1.")
        if (bad := next((t for t in self.terms if not _SAFE_TERM.fullmatch(t)), None)) is not None:
            raise EncoderError(
                f"The term {bad!r} cannot be stored: a term holds no dot, space or '|'; please rename it."
            )
        if (bad := next((f for f, t in self.forms.items() if t not in known), None)) is not None:
            raise EncoderError(f"The form {bad!r} maps to {self.forms[bad]!r}, which is not a term of the vocabulary.")
        if (bad := next((t for t in self.terms if self.forms.get(t) != t), None)) is not None:
            raise EncoderError(f"The term {bad!r} must be a form of itself, or people could not type it.")

    def __len__(self) -> int:
        return len(self.terms)

    @cached_property
    def index(self) -> Mapping[str, int]:
        """Term -> its row."""
        return {term: i for i, term in enumerate(self.terms)}

    def count(self, text: str) -> dict[str, int]:
        """How often each term stands in `text`. This is the whole of an inference-free query."""
        return dict(Counter(self.forms[w] for w in words(text) if w in self.forms))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON: the same for equal vocabularies on every machine."""
        return hashlib.sha256(self._json().encode()).hexdigest()

    def _json(self) -> str:
        table = {
            "terms": self.terms,
            "forms": dict(sorted(self.forms.items())),
            "document_frequency": self.document_frequency,
        }
        return json.dumps(table, ensure_ascii=False, indent=0)

    def save(self, path: Path) -> None:
        """Write the vocabulary as JSON, for people to read and edit."""
        path.write_text(self._json(), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "Vocabulary":
        """Read what `save` wrote. Raises EncoderError where the file is missing or not a vocabulary."""
        try:
            table = json.loads(path.read_text(encoding="utf-8"))
            shares = tuple(float(share) for share in table["document_frequency"])
            return cls(tuple(table["terms"]), dict(table["forms"]), shares)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise EncoderError(f"{path} is not a vocabulary ({error}).") from error

    @classmethod
    def from_captions(
        cls,
        captions: Iterable[str],
        *,
        min_count: int = 5,
        size: int | None = None,
        stop_words: Iterable[str] = STOP_WORDS,
    ) -> "Vocabulary":
        """Build a vocabulary from captions: the terms that stand in at least `min_count`, the `size` commonest at most.

        Forms of one word share a term, its dictionary form ("dogs", "dog" -> "dog"; "men" -> "man"), as `simplemma`
        knows it.
        """
        forms_in = [Counter(words(caption)) for caption in captions]
        seen: Counter[str] = _total(forms_in)
        term_of = _Lemmas(seen, frozenset(stop_words))
        held = _total({t for f in forms if (t := term_of[f])} for forms in forms_in)
        common = [(t, n) for t, n in sorted(held.items(), key=lambda item: (-item[1], item[0])) if n >= min_count][
            :size
        ]
        kept = {t for t, _ in common}
        forms_of = {f: term_of[f] for f in sorted(seen) if term_of[f] in kept} | {t: t for t in kept}
        return cls(tuple(t for t, _ in common), forms_of, tuple(n / len(forms_in) for _, n in common))


class _Lemmas(dict[str, str]):
    """Form -> term, worked out once a form; a stop word, a bare number and a single letter have the empty term."""

    def __init__(self, seen: Mapping[str, int], stop_words: frozenset[str]) -> None:
        self.seen, self.stop_words = seen, stop_words

    def __missing__(self, form: str) -> str:
        bare = re.sub(r"['’](?:s|re|ll|ve|d|m)?$", "", form)
        term = self._dictionary_form(bare)
        usable = len(term) > 1 and not term.isdigit() and not {form, bare, term} & self.stop_words
        self[form] = term if usable else ""
        return self[form]

    def _dictionary_form(self, form: str) -> str:
        from simplemma import lemmatize  # its tables are large, and needed to build a vocabulary only

        lemma = str(lemmatize(form, lang="en")).lower()
        if lemma != form and lemma in self.seen and _WORD.fullmatch(lemma):
            return lemma
        # The dictionary leaves "sitting" as it is and makes "playe" of "playing". Where the captions themselves use the
        # verb, fold into it; "building" stays, since hardly a caption says "build".
        verbs = [stem + e for stem in _stems(form) for e in ("", "e")]
        best = max(verbs, key=self._uses, default=form)
        return best if verbs and self._uses(best) >= self.seen.get(form, 0) / 5 else form

    def _uses(self, verb: str) -> int:
        inflected = {verb, verb + "s", verb + "es", verb.removesuffix("e") + "ed"}
        return sum(self.seen.get(form, 0) for form in inflected) if verb in self.seen else 0


def _stems(form: str) -> list[str]:
    """What is left of a regular -ing form, and that with a doubled last letter undone ("sitting": "sitt", "sit")."""
    stem = form.removesuffix("ing")
    if stem == form or len(stem) < 3:
        return []
    return [stem, stem[:-1]] if stem[-1] == stem[-2] else [stem]


def _total(groups: Iterable[Iterable[str]]) -> Counter[str]:
    """The counts of all `groups` added up; a group is a set of words or a counter of them."""
    total: Counter[str] = Counter()
    for group in groups:
        total.update(group)
    return total
