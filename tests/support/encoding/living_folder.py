"""A folder that people work in: pictures come, change, move and go, and so do the texts beside them."""

import json
import random
import shutil
from dataclasses import dataclass
from pathlib import Path

from support.making import jpeg

_SIZE = 3000
FOLDERS = ("", "holiday", "work/2024")


@dataclass(frozen=True)
class LivingFolder:
    """The folder at `root`. What cannot be done there, such as moving what is not, does nothing."""

    root: Path

    @property
    def pictures(self) -> list[Path]:
        """All pictures, in order."""
        return sorted(self.root.rglob("*.jpg"))

    def picked(self, number: int) -> Path | None:
        """One of the pictures."""
        there = self.pictures
        return there[number % len(there)] if there else None

    def add(self, name: str, seed: int) -> None:
        """A new picture, or another one under a name that is there. All are of one size."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg(seed).ljust(_SIZE, b"\0"))

    def move(self, number: int, name: str) -> None:
        """Move a picture, and not the texts beside it."""
        if path := self.picked(number):
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            path.rename(self.root / name)

    def copy(self, number: int, name: str) -> None:
        """Copy a picture."""
        if (path := self.picked(number)) and path != self.root / name:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, self.root / name)

    def remove(self, number: int) -> None:
        """Remove a picture, but never the last one: a source of nothing is refused."""
        if len(self.pictures) > 1 and (path := self.picked(number)):
            path.unlink()

    def spoil(self, number: int) -> None:
        """Make no picture of one, but of the last one."""
        if len(self.pictures) > 1 and (path := self.picked(number)):
            path.write_bytes(b"spoilt")

    def caption(self, number: int, text: str) -> None:
        """Say something of a picture, in a text beside it."""
        if path := self.picked(number):
            path.with_suffix(".txt").write_text(text)

    def describe(self, number: int, column: str, value: int) -> None:
        """Metadata of a picture, in a JSON file beside it."""
        if path := self.picked(number):
            beside = path.with_suffix(".json")
            known = json.loads(beside.read_text()) if beside.exists() else {}
            beside.write_text(json.dumps(known | {column: value}))

    def rename_folder(self, name: str) -> None:
        """Rename a folder, with all that is in it."""
        some = sorted(path for path in self.root.iterdir() if path.is_dir())
        if some and not (self.root / name).exists():
            some[0].rename(self.root / name)

    def anything(self, dice: random.Random) -> str:
        """Do one of these things, whatever chance says; returns which."""
        number, name = dice.randrange(100), f"{dice.choice(FOLDERS)}/{dice.randrange(12)}.jpg".lstrip("/")
        things = {
            "add": lambda: self.add(name, dice.randrange(1000)),
            "move": lambda: self.move(number, name),
            "copy": lambda: self.copy(number, name),
            "remove": lambda: self.remove(number),
            "spoil": lambda: self.spoil(number),
            "caption": lambda: self.caption(number, f"a picture of {dice.randrange(100)}"),
            "describe": lambda: self.describe(number, dice.choice(["stars", "year"]), dice.randrange(9)),
            "rename": lambda: self.rename_folder(f"trip {dice.randrange(5)}"),
        }
        thing = dice.choice(list(things))
        things[thing]()
        return thing
