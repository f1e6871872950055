"""What a training writes beside the weights: model card, curves, calibrated weights."""
