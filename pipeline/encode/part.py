"""A part of a job: the share of one worker among many."""

from dataclasses import dataclass

from lexel.pipeline.errors import ConfigError


@dataclass(frozen=True)
class Part:
    """The share of one worker among `of`: chunk k belongs to part k mod `of`, so the list alone settles it.

    Counting from 0 or from 1 both work: 1/4 to 4/4 are the same four parts as 0/4 to 3/4.
    """

    index: int = 0
    of: int = 1

    @classmethod
    def parse(cls, text: str) -> "Part":
        """Read "i/n". Raises ConfigError where it is no such thing."""
        index, slash, of = text.partition("/")
        if not (slash and index.isdecimal() and of.isdecimal() and int(of) >= 1 and int(index) <= int(of)):
            raise ConfigError(f"--part {text} makes no sense: write i/n, for example 1/4 for the first of four parts.")
        return cls(int(index), int(of))

    def has(self, number: int) -> bool:
        """Whether chunk `number` is this part's."""
        return number % self.of == self.index % self.of
