"""The words that encoders have no term for, with the nearest terms that they have, as near_words.npz in their folders.

scripts/near-words encoders/lexel_photo encoders/lexel_tiny
"""

import argparse
from pathlib import Path

from lexel.encoders.encoder import read_encoder
from lexel.encoders.vocabulary.near_words import NEAR_WORDS
from lexel.pipeline.train.artifacts.word_neighbours import everyday_words, word_neighbours


def main() -> None:
    parser = argparse.ArgumentParser(prog="scripts/near-words", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folders", metavar="FOLDER", type=Path, nargs="+", help="an encoder's folder")
    parser.add_argument("--words", type=int, help="take only so many words, the commonest")
    options = parser.parse_args()
    words = everyday_words()[: options.words]
    for folder in options.folders:
        table = word_neighbours(read_encoder(folder).vocabulary, words=words)
        table.save(folder / NEAR_WORDS)
        print(f"{folder}: {len(table.terms_of):,} words, of which {len(table.all_asked()):,} are asked by a term")


if __name__ == "__main__":
    main()
