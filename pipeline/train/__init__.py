"""Training: from captions to an encoder that every other command takes.

    splits -> features (encoded once) -> towers -> heads -> an encoder's folder

`train` is the whole of it; a repeated call goes on where a stopped one was.
"""

from lexel.pipeline.train.run import Trained, TrainingReporter, train_encoder
from lexel.pipeline.train.training_options import HEADS, TOWERS, TrainOptions

__all__ = ["HEADS", "TOWERS", "TrainOptions", "Trained", "TrainingReporter", "train_encoder"]
