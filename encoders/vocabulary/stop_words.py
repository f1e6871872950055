"""English stop words: words that describe nothing visible. Numbers and colours do, so `two` and `red` are terms."""

from lexel.encoders.vocabulary.tokenize import without_clitic

STOP_WORDS: frozenset[str] = frozenset(
    """
    a about above across after against all along also although am among an and another any appear are aren
    around as at be because been before being below between both but by can come could d did do does doesn doing
    don done down during each either even every for from get go had has have having he her here hers him his how
    i if image in into is isn it its just ll look m make may me might must my near neither no nor not of off on
    only onto or other our out over photo photograph picture re s same seem shall she shot should so some still
    such t take than that the their them then there these they this those though through to too toward towards
    up upon us ve very view was wasn we were weren what when where which while who whom whose why will with
    would you your
    """.split()  # noqa: SIM905 - one word a line would fill pages
)


def is_stop_word(word: str) -> bool:
    """Whether `word` is a stop word, or one that is drawn together with another ("it's", "don't")."""
    return without_clitic(word) in STOP_WORDS or word.endswith(("n't", "n’t"))
