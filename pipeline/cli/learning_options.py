"""Options of both `train` and `finetune`."""

from pathlib import Path
from typing import Annotated

import typer

from lexel.pipeline.cli.options import ENCODER, OUTPUT, known_encoders

CaptionsArg = Annotated[
    str,
    typer.Argument(
        metavar="CAPTIONS", help="A manifest of images with captions; its column `split`, if any, says train or val."
    ),
]
EncoderOutArg = Annotated[Path, typer.Argument(metavar="OUT", help="The folder for the encoder.")]
BaseOpt = Annotated[
    str,
    typer.Option(
        metavar="BASE",
        help="The encoder to start from, by name or folder, or an untrained pair IMAGE+TEXT, e.g. "
        "google/mobilenet_v2_1.0_224+sentence-transformers/all-MiniLM-L6-v2, torchvision:resnet50+gru, "
        "regions:fasterrcnn_resnet50_fpn+words:glove.txt.",
        envvar="LEXEL_ENCODER",
        autocompletion=known_encoders,
        rich_help_panel=ENCODER,
    ),
]
WorkOpt = Annotated[
    Path | None,
    typer.Option(
        help="The folder for encoded images and interrupted trainings.",
        show_default="one of lexel's own",
        rich_help_panel=OUTPUT,
    ),
]
