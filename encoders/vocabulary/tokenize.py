"""The tokenizer: text to words, equal to the one in the index's analyzer."""

import re

# Letters and digits, with at most one apostrophe inside ("girl's"). mappings/index.json has the same pattern in Java's
# syntax; a test runs both over the same captions.
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")


def words(text: str) -> list[str]:
    """The lower-case words of `text`, in order."""
    return _WORD.findall(text.lower())
