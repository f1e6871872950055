"""The progress of a training in a terminal."""

from lexel.pipeline.cli.views.console import chosen, err


def say_epoch(stage: str, epoch: int, epochs: int, figures: dict[str, float]) -> None:
    """Print the figures of an epoch on standard error, unless quiet."""
    if not chosen.quiet:
        shown = "  ".join(f"[dim]{name}[/] {value:.4g}" for name, value in figures.items() if name != "R")
        err.print(f"{stage} {epoch + 1:>3}/{epochs}  {shown}", soft_wrap=True)
