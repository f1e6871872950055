"""The last step to the shipped encoders: the words that they have no term for, by the packaged text model."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from support.checkout import ROOT

from lexel.encoders import open_encoder
from lexel.encoders.encoder import read_encoder
from lexel.encoders.vocabulary.near_words import NEAR_WORDS

WORDS = 400


def test_it_gives_an_encoder_its_table_again(tmp_path: Path) -> None:
    shipped, folder = open_encoder("lexel-tiny"), tmp_path / "mine"
    folder.mkdir()
    for name in ("lexel.json", "vocabulary.json"):  # it needs no networks of the encoder
        shutil.copy(shipped.folder / name, folder)
    words = [sys.executable, "scripts/words/near_words.py", str(folder), "--words", str(WORDS)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 0, done.stderr
    assert (folder / NEAR_WORDS).is_file()
    made, table = read_encoder(folder).near_words, shipped.near_words
    assert f"{len(made.terms_of):,} words" in done.stdout
    assert 50 < len(made.terms_of) < 2 * WORDS
    # Of the same words, up to what another processor rounds.
    same = [made.terms_of[word].keys() == table.terms_of.get(word, {}).keys() for word in made.terms_of]
    assert sum(same) >= 0.97 * len(same)
    assert made.least == table.least
