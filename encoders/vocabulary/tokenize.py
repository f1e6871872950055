"""Text to words, as OpenSearch's own tokenizer cuts it."""

import re

# Letters and digits, with one apostrophe inside ("girl's"). mappings/index.json gives OpenSearch the same pattern in
# Java's spelling; a test runs both over the same captions.
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


def words(text: str) -> list[str]:
    """The lower-case word forms of `text`, in order. The one tokeniser of the project."""
    return _WORD.findall(text.lower())
