"""Small random `transformers` checkpoints of real architectures, each with its tokenizer and image processor."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

LETTERS = ["a dog runs in the snow", "two men and a woman sit on a bench", "A red car near the sea"]
SIDE = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
TEXT = {
    **SIDE,
    "vocab_size": 320,
    "max_position_embeddings": 16,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 0,
}
SQUARE = {"height": 32, "width": 32}


def bpe(*, inputs: Sequence[str] = ("input_ids", "attention_mask"), limit: int = 16) -> Any:
    """A byte-level BPE tokenizer of about 300 tokens, as CLIP has one of 49,408."""
    tokens = Tokenizer(models.BPE(unk_token="<unk>"))
    tokens.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokens.decoder = decoders.ByteLevel()
    letters = pre_tokenizers.ByteLevel.alphabet()
    special = ["<pad>", "<bos>", "<eos>", "<unk>"]
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=special, initial_alphabet=letters, show_progress=False)
    tokens.train_from_iterator(LETTERS * 3, trainer)
    tokens.post_processor = processors.TemplateProcessing(
        single="<bos> $A <eos>", special_tokens=[("<bos>", 1), ("<eos>", 2)]
    )
    named = {"pad_token": "<pad>", "bos_token": "<bos>", "eos_token": "<eos>", "unk_token": "<unk>"}
    return hf.PreTrainedTokenizerFast(
        tokenizer_object=tokens, model_max_length=limit, model_input_names=list(inputs), **named
    )


def word_pieces() -> Any:
    """A lower-casing word-piece tokenizer, as BERT's."""
    words = sorted({word for line in LETTERS for word in line.lower().split()})
    letters = [chr(c) for c in range(97, 123)]
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words, *letters, *(f"##{c}" for c in letters)]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    return hf.BertTokenizer(vocab=vocabulary, model_max_length=16)


def clip() -> tuple[Any, Any]:
    config = hf.CLIPConfig(
        text_config=TEXT, vision_config={**SIDE, "image_size": 32, "patch_size": 8}, projection_dim=24
    )
    pictures = hf.CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=SQUARE)
    return hf.CLIPModel(config), hf.CLIPProcessor(pictures, bpe())


def siglip() -> tuple[Any, Any]:
    config = hf.SiglipConfig(text_config=TEXT, vision_config={**SIDE, "image_size": 32, "patch_size": 8})
    # Like the published ones, it is told nothing of padding.
    return hf.SiglipModel(config), hf.SiglipProcessor(hf.SiglipImageProcessor(size=SQUARE), bpe(inputs=["input_ids"]))


def siglip2() -> tuple[Any, Any]:
    """The kind that keeps a picture's shape ("naflex"). Its tokenizer knows no limit; its processor pads to 64."""
    config = hf.Siglip2Config(
        text_config={**TEXT, "max_position_embeddings": 64},
        vision_config={**SIDE, "num_patches": 256, "patch_size": 16},
    )
    pictures = hf.Siglip2ImageProcessor(patch_size=16, max_num_patches=256)
    return hf.Siglip2Model(config), hf.Siglip2Processor(pictures, bpe(limit=int(1e30)))


def chinese_clip() -> tuple[Any, Any]:
    """A BERT on the text side, which is also told of token types."""
    config = hf.ChineseCLIPConfig(
        text_config=TEXT, vision_config={**SIDE, "image_size": 32, "patch_size": 8}, projection_dim=24
    )
    pictures = hf.ChineseCLIPImageProcessor(size=SQUARE, crop_size=SQUARE)
    return hf.ChineseCLIPModel(config), hf.ChineseCLIPProcessor(pictures, word_pieces())


def align() -> tuple[Any, Any]:
    """A convolutional picture side (EfficientNet)."""
    vision = {"image_size": 32, "width_coefficient": 0.2, "depth_coefficient": 0.2, "hidden_dim": 32}
    config = hf.AlignConfig(
        text_config={**TEXT, "max_position_embeddings": 64}, vision_config=vision, projection_dim=64
    )
    pictures = hf.EfficientNetImageProcessor(size=SQUARE)
    return hf.AlignModel(config), hf.AlignProcessor(pictures, word_pieces())


def blip() -> tuple[Any, Any]:
    vision = {**SIDE, "image_size": 32, "patch_size": 8}
    config = hf.BlipConfig(text_config={**TEXT, "encoder_hidden_size": 32}, vision_config=vision, projection_dim=24)
    return hf.BlipModel(config), hf.BlipProcessor(hf.BlipImageProcessor(size=SQUARE), word_pieces())


DUAL: dict[str, Callable[[], tuple[Any, Any]]] = {
    "clip": clip,
    "siglip": siglip,
    "siglip2": siglip2,
    "chinese_clip": chinese_clip,
    "align": align,
    "blip": blip,
}


def save(kind: str, folder: Path) -> Path:
    """Save the dual encoder `kind` of DUAL with its processor to `folder`."""
    torch.manual_seed(0)
    model, processor = DUAL[kind]()
    model.eval().save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder
