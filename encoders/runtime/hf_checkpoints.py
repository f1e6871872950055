"""Checkpoints of `transformers`: found on disk or on the hub, loaded quietly, refused if weights are missing.

Only safetensors files are read, and code in a checkpoint is never run. torch is imported when a checkpoint is opened.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from lexel.encoders.encoder_error import EncoderError

# What `transformers` raises for a broken or unsuitable checkpoint.
BROKEN = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError, SafetensorError)


def first_line(error: BaseException) -> str:
    """The first line of the error's message, or the name of its class if it has none."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def locate(checkpoint: str | Path) -> Path:
    """`checkpoint` itself if it is a folder, else its download from the hub. Raises EncoderError if that fails."""
    folder = Path(checkpoint)
    if folder.is_dir():
        return folder
    from huggingface_hub import snapshot_download

    try:
        # Weights as safetensors only: pickled weights can run code.
        patterns = ["*.json", "*.txt", "*.model", "*.safetensors"]
        return Path(snapshot_download(str(checkpoint), allow_patterns=patterns))
    except Exception as error:  # the hub's client raises errors of five libraries
        raise EncoderError(
            f"{str(checkpoint)!r} is no folder, and the model hub did not give it; check the name and the network."
        ) from error


def network(folder: Path) -> Any:
    """The checkpoint's network in float32 and evaluation mode.

    A pooler without weights is removed, since `transformers` would initialise it randomly. Raises EncoderError if any
    other weight is missing.
    """
    import torch
    from transformers import AutoModel

    with quiet(), opening(folder):
        net, report = AutoModel.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=False, output_loading_info=True
        )
    poolers = {key for key in report["missing_keys"] if key.startswith("pooler.")}
    if lacking := sorted(report["missing_keys"] - poolers):
        raise EncoderError(f"{folder} lacks weights of its {type(net).__name__}: {', '.join(lacking[:3])}.")
    if poolers:
        net.pooler = None
    return net.eval()


def classifier(folder: Path) -> tuple[Any, list[str]]:
    """The checkpoint's image classifier in float32 and evaluation mode, and the text of each label.

    Raises EncoderError if it is no classifier or a weight is missing.
    """
    import torch
    from transformers import AutoModelForImageClassification

    with quiet(), opening(folder):
        net, report = AutoModelForImageClassification.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=False, output_loading_info=True
        )
        labels = [str(net.config.id2label[i]) for i in range(net.config.num_labels)]
    if lacking := sorted(report["missing_keys"]):
        raise EncoderError(f"{folder} is no image classifier: it lacks {', '.join(lacking[:3])}.")
    return net.eval(), labels


def tokenizer(folder: Path) -> Any:
    """The checkpoint's tokenizer. Raises EncoderError if it has none."""
    from transformers import AutoTokenizer

    with quiet(), opening(folder):
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


def longest_text(tokens: Any, net: Any, *, at_most: int) -> int:
    """The largest number of tokens that `net` reads; checkpoints give it in the tokenizer's or the network's config."""
    config = getattr(net.config, "text_config", net.config)
    return int(min(tokens.model_max_length, getattr(config, "max_position_embeddings", at_most), at_most))


def words_read(tokens: Any, text: str, *, longest: int) -> int:
    """How many of the text's words, as spaces part them, are within its first `longest` tokens."""
    every = len(text.split())
    if not tokens.is_fast:  # only fast ones say where a token ends
        return every
    read = tokens(text, truncation=True, max_length=longest).encodings[0]
    if not read.overflowing:
        return every
    end = max((last for _, last in read.offsets), default=0)
    cut_in_two = 0 < end < len(text) and not (text[end - 1].isspace() or text[end].isspace())
    return len(text[:end].split()) - cut_in_two


@contextmanager
def quiet() -> Iterator[None]:
    """Turn off progress bars and log messages of `transformers`."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


@contextmanager
def opening(folder: Path) -> Iterator[None]:
    """Turn the errors of `transformers` about `folder` into an EncoderError of one sentence."""
    try:
        yield
    except BROKEN as error:
        raise EncoderError(f"{folder} is no checkpoint that lexel can open: {first_line(error)}") from error
