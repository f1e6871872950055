"""Training: from captioned images to an encoder's folder.

    splits -> features (encoded once) -> towers -> heads -> encoder

Read run.py (`train_encoder`) with starting_encoder.py and head_factory.py, then data/ (splits, features, batches),
tasks/ (losses and the loop) and artifacts/ (model card, calibration, curves). finetune.py trains a dual encoder end to
end, compile.py compiles an encoder. An interrupted training is resumed by the same call.
"""

from lexel.pipeline.train.run import Trained, TrainingReporter, train_encoder
from lexel.pipeline.train.training_options import HEADS, TOWERS, TrainOptions

__all__ = ["HEADS", "TOWERS", "TrainOptions", "Trained", "TrainingReporter", "train_encoder"]
