"""The vocabulary: the terms that images are indexed under, and the word forms that map to each."""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.vocabulary.lemmas import Lemmas
from lexel.encoders.vocabulary.stop_words import STOP_WORDS, is_stop_word
from lexel.encoders.vocabulary.tokenize import is_word, normalized, without_clitic, words

# A term becomes part of a field name (`terms.dog`) and of a `dog|315` token, so it must not contain their separators.
_SAFE_TERM = re.compile(r"[^\s.|\x00]+")


@dataclass(frozen=True)
class Vocabulary:
    """`terms[i]` is the i-th term; `forms` maps each word form, including every term itself, to its term.

    `document_frequency[i]` is the share of captions that contain the term, between 0 and 1. Raises EncoderError if
    these contradict each other.
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
        """Term -> its position in `terms`."""
        return {term: i for i, term in enumerate(self.terms)}

    def term(self, word: str) -> str | None:
        """The term of a word as `words` gives it, or of what it is without its clitic ("zebra's"); None without one."""
        return self.forms.get(word) or self.forms.get(without_clitic(word))

    def count(self, text: str) -> dict[str, int]:
        """How often each term occurs in `text`. An inference-free query is nothing but this."""
        return dict(Counter(term for w in words(text) if (term := self.term(w))))

    def unknown(self, text: str) -> tuple[str, ...]:
        """The words of `text` that have no term and are no stop words, each once."""
        return tuple(dict.fromkeys(w for w in words(text) if not self.term(w) and not is_stop_word(w)))

    @cached_property
    def hash(self) -> str:
        """SHA-256 of the canonical JSON; equal vocabularies have equal hashes on every machine."""
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
        """Read a file written by `save`. Raises EncoderError if it is missing or not a vocabulary."""
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
        aliases: Mapping[str, str] | None = None,
        banned: Iterable[str] = (),
    ) -> "Vocabulary":
        """Build a vocabulary of the terms that occur in at least `min_count` captions, at most the `size` commonest.

        Forms of one word share its lemma by `simplemma` as term ("dogs", "dog" -> "dog"; "men" -> "man"). `aliases`
        override it: a form, and what is folded into it, gets the term that it names; one that names itself is a term of
        its own. Banning a term removes all its forms, banning a form only that. Raises EncoderError if an alias is not
        of single words or aliases form a cycle.
        """
        forms_in = [Counter(words(caption)) for caption in captions]
        seen: Counter[str] = _total(forms_in)
        named = resolved(aliases or {})
        term_of = Lemmas(seen, frozenset(stop_words), named, frozenset(map(normalized, banned)))
        held = _total({t for f in forms if (t := term_of[f])} for forms in forms_in)
        common = [(t, n) for t, n in sorted(held.items(), key=lambda item: (-item[1], item[0])) if n >= min_count][
            :size
        ]
        kept = {t for t, _ in common}
        typed = sorted(seen.keys() | named.keys())  # people may type an alias that no caption has
        forms_of = {f: term_of[f] for f in typed if term_of[f] in kept} | {t: t for t in kept}
        return cls(tuple(t for t, _ in common), forms_of, tuple(n / len(forms_in) for _, n in common))

    def edited(
        self, *, aliases: Mapping[str, str] | None = None, banned: Iterable[str] = ()
    ) -> tuple["Vocabulary", tuple[int, ...]]:
        """A vocabulary with more aliases and without banned words, and the index in this one of each of its terms.

        A term that becomes an alias gives its forms to the term it names, whose document frequency is then computed as
        if both occurred independently. Raises EncoderError if an alias names a word that is not in this vocabulary.
        """
        named = {form: self._term(term) for form, term in resolved(aliases or {}).items()}
        given = {term: named[term] for term in self.terms if named.get(term, term) != term}
        named = {form: _last(term, given) for form, term in named.items()}
        given = {term: named[term] for term in given}
        lost = frozenset(map(normalized, banned))
        forms = {form: given.get(term, term) for form, term in self.forms.items()} | named
        left = {form: term for form, term in forms.items() if not {form, term} & lost}
        share = dict(zip(self.terms, self.document_frequency, strict=True))
        for term, other in given.items():
            share[other] = 1 - (1 - share[other]) * (1 - share[term])
        rows = tuple(i for i, term in enumerate(self.terms) if term not in given and term not in lost)
        terms = tuple(self.terms[i] for i in rows)
        return Vocabulary(terms, left, tuple(share[term] for term in terms)), rows

    def joined(self, other: "Vocabulary") -> "Vocabulary":
        """A vocabulary with the terms of this one, then those of `other` that are no form in this one.

        A form that both know keeps its term here. Document frequencies are the means of both.
        """
        more = tuple(term for term in other.terms if term not in self.forms)
        known = set(self.terms) | set(more)
        forms = {form: term for form, term in other.forms.items() if term in known} | dict(self.forms)
        shares = [dict(zip(one.terms, one.document_frequency, strict=True)) for one in (self, other)]
        terms = self.terms + more
        mean = tuple(sum(share.get(term, 0.0) for share in shares) / 2 for term in terms)
        return Vocabulary(terms, forms, mean)

    def _term(self, word: str) -> str:
        if word not in self.forms:
            raise EncoderError(f"The alias names {word!r}, which is no word of the vocabulary; name one of its terms.")
        return self.forms[word]


def one_word(text: str) -> str:
    """`text` in lower case, without spaces around it. Raises EncoderError if the tokenizer does not see one word."""
    word = normalized(text.strip())
    if not is_word(word):
        raise EncoderError(
            f"{text!r} is not one word of letters and digits, and text is read word by word; give single words."
        )
    return word


def resolved(aliases: Mapping[str, str]) -> dict[str, str]:
    """`aliases` in lower case with chains followed to their end: pup = puppy and puppy = dog give pup = dog.

    Raises EncoderError if a form or term is not one word, or aliases form a cycle.
    """
    given = {one_word(form): one_word(term) for form, term in aliases.items()}
    return {form: _last(form, given) for form in given}


def _last(form: str, given: Mapping[str, str]) -> str:
    passed = [form]
    while given.get(passed[-1], passed[-1]) != passed[-1]:
        if (following := given[passed[-1]]) in passed:
            raise EncoderError(f"The aliases {' = '.join([*passed, following])} go round in a circle; leave one out.")
        passed.append(following)
    return passed[-1]


def _total(groups: Iterable[Iterable[str]]) -> Counter[str]:
    """The counts of all `groups` added up; a group is a set of words or a counter of them."""
    total: Counter[str] = Counter()
    for group in groups:
        total.update(group)
    return total
