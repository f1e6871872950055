"""How pictures are usually encoded: what `transformers` and sentence-transformers show in their first examples."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image

Loop = Callable[[Sequence[Path]], npt.NDArray[np.float32]]


def one_by_one(checkpoint: Path) -> Loop:
    """PIL, the processor and the model at batch 1, as the model's card on the hub has it."""
    model, processor = _opened(checkpoint)

    def loop(files: Sequence[Path]) -> npt.NDArray[np.float32]:
        return np.concatenate([_vectors(model, processor, [Image.open(file)]) for file in files])

    return loop


def sentence_transformers(checkpoint: Path) -> tuple[Loop, str]:
    """Its `encode` at batch 32, and its version; where it is not installed, the same steps as its source has them."""
    try:
        import sentence_transformers as library
        from sentence_transformers.models import CLIPModel
    except ImportError:
        model, processor = _opened(checkpoint)

        def loop(files: Sequence[Path]) -> npt.NDArray[np.float32]:
            batches = [files[i : i + 32] for i in range(0, len(files), 32)]
            return np.concatenate([_vectors(model, processor, [Image.open(f) for f in batch]) for batch in batches])

        return loop, "its steps by hand, for it is not installed"
    encoder = library.SentenceTransformer(modules=[CLIPModel(str(checkpoint))], device="cpu")

    def encode(files: Sequence[Path]) -> npt.NDArray[np.float32]:
        found: Any = encoder.encode([Image.open(file) for file in files], batch_size=32, normalize_embeddings=True)
        return np.asarray(found, np.float32)

    return encode, f"sentence-transformers {library.__version__}"


def _opened(checkpoint: Path) -> tuple[Any, Any]:
    from transformers import CLIPModel, CLIPProcessor

    return CLIPModel.from_pretrained(checkpoint).eval(), CLIPProcessor.from_pretrained(checkpoint)


def _vectors(model: Any, processor: Any, images: list[Image.Image]) -> npt.NDArray[np.float32]:
    with torch.no_grad():
        features = model.get_image_features(**processor(images=images, return_tensors="pt")).pooler_output
    return torch.nn.functional.normalize(features, dim=1).numpy()
