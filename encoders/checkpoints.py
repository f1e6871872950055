"""Checkpoints of `transformers`: found on disk or on the hub, opened without noise, refused where weights are missing.

Only safetensors are read and no code of a checkpoint is ever run. Nothing here imports torch before a checkpoint is
opened.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError

from lexel.encoders.errors import EncoderError

if TYPE_CHECKING:
    import torch
    from PIL import Image

# What `transformers` raises for a folder that is not what its files say.
BROKEN = (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError, ImportError, SafetensorError)


def first_line(error: BaseException) -> str:
    """The first line of what `error` says; its kind where it says nothing."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def locate(checkpoint: str | Path) -> Path:
    """`checkpoint` itself where it is a folder, or its copy from the model hub. Raises EncoderError without either."""
    folder = Path(checkpoint)
    if folder.is_dir():
        return folder
    from huggingface_hub import snapshot_download

    try:
        # Weights as safetensors only: nothing that unpickles is ever fetched.
        wanted = ["*.json", "*.txt", "*.model", "*.safetensors"]
        return Path(snapshot_download(str(checkpoint), allow_patterns=wanted))
    except Exception as error:  # the hub's client raises errors of five libraries
        raise EncoderError(
            f"{str(checkpoint)!r} is no folder, and the model hub did not give it; check the name and the network."
        ) from error


def network(folder: Path) -> Any:
    """The checkpoint's network, float32, ready to infer.

    A pooler that has no weights is left out: many classifiers are saved without, and `transformers` would make it of
    random numbers. Raises EncoderError where any other weight is missing.
    """
    import torch
    from transformers import AutoModel

    with quiet(), _opening(folder):
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
    """The checkpoint's image classifier, float32, ready to infer, and the text of each of its labels.

    Raises EncoderError where it is none, or where a weight is missing.
    """
    import torch
    from transformers import AutoModelForImageClassification

    with quiet(), _opening(folder):
        net, report = AutoModelForImageClassification.from_pretrained(
            folder, dtype=torch.float32, use_safetensors=True, trust_remote_code=False, output_loading_info=True
        )
        labels = [str(net.config.id2label[i]) for i in range(net.config.num_labels)]
    if lacking := sorted(report["missing_keys"]):
        raise EncoderError(f"{folder} is no image classifier: it lacks {', '.join(lacking[:3])}.")
    return net.eval(), labels


def tokenizer(folder: Path) -> Any:
    """The checkpoint's tokenizer. Raises EncoderError where it has none."""
    from transformers import AutoTokenizer

    with quiet(), _opening(folder):
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False)


def longest_text(tokens: Any, net: Any, *, at_most: int) -> int:
    """How many tokens of a text `net` can read: many checkpoints name the limit in only one of their files."""
    config = getattr(net.config, "text_config", net.config)
    return int(min(tokens.model_max_length, getattr(config, "max_position_embeddings", at_most), at_most))


class ImageProcessor:
    """The checkpoint's image processor. It makes pixels of one shape only, since pictures are encoded in batches.

    With `whole` it squeezes the picture into the square that it would have cut out of the middle, or one `enlarged` by
    that factor, to a multiple of 32 pixels.
    """

    def __init__(self, folder: Path, *, whole: bool = False, enlarged: float = 1.0) -> None:
        from PIL import Image
        from transformers import AutoImageProcessor

        with quiet(), _opening(folder):
            self._process = AutoImageProcessor.from_pretrained(folder, trust_remote_code=False)
            if whole and getattr(self._process, "do_center_crop", False):
                crop = self._process.crop_size
                sides = ("height", "width")
                square = {side: _multiple(crop[side] * enlarged) if enlarged > 1 else crop[side] for side in sides}
                self._process = type(self._process).from_pretrained(folder, size=square, do_center_crop=False)
            found = [self._process(images=Image.new("RGB", s), return_tensors="pt") for s in ((96, 64), (64, 96))]
        if len({tuple(f["pixel_values"].shape) for f in found}) > 1:
            raise EncoderError(
                f"{folder} makes pictures of different sizes; give its image processor a fixed size or a crop."
            )
        self._patches = "spatial_shapes" in found[0]

    def pixels(self, image: "Image.Image") -> "torch.Tensor":
        """One RGB picture to float32 [3, H, W].

        SigLIP 2 may keep a picture's shape and reads N patches of P numbers: these come as [1, N, P + 3], where the
        last three say whether the patch is there and how many patches the picture is high and wide.
        """
        import torch

        from lexel.encoders.pixels import not_too_long

        if getattr(self._process, "do_center_crop", False):
            # What goes would be cut away after it had been enlarged. No real picture is so long, and of one that is not
            # the pixels stay those of `transformers`.
            image = not_too_long(image, times=64)
        found = self._process(images=image, return_tensors="pt")
        pixels: torch.Tensor = found["pixel_values"][0]
        if not self._patches:
            return pixels
        grid = found["spatial_shapes"].expand(len(pixels), 2)
        return torch.cat([pixels, found["pixel_attention_mask"].T, grid], dim=1)[None]

    def inputs(self, pixels: "torch.Tensor") -> dict[str, "torch.Tensor"]:
        """A batch of what `pixels` made, as the network's arguments."""
        if not self._patches:
            return {"pixel_values": pixels}
        patches = pixels[:, 0]
        return {
            "pixel_values": patches[..., :-3],
            "pixel_attention_mask": patches[..., -3].int(),
            "spatial_shapes": patches[:, 0, -2:].long(),
        }

    def save(self, folder: Path) -> None:
        """Write the processor's own files."""
        self._process.save_pretrained(folder)


def _multiple(pixels: float) -> int:
    # What networks halve five times; anything else would lose a row at some step.
    return 32 * round(pixels / 32)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep progress bars and reports of `transformers` off the terminal; what matters of them is raised as errors."""
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
def _opening(folder: Path) -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        raise EncoderError(f"{folder} is no checkpoint that lexel can open: {first_line(error)}") from error
