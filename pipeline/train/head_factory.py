"""Makes the head to train, or one that needs no training, and checks the options against the starting encoder."""

from lexel.encoders.encoder_error import EncoderError
from lexel.encoders.heads.expand import ExpandHead
from lexel.encoders.heads.head import AnyHead, Trainable
from lexel.encoders.heads.labels import LabelsHead
from lexel.encoders.heads.lexicon import LexiconHead
from lexel.encoders.heads.region_labels import RegionHead
from lexel.encoders.heads.word_classifier import WordClassifierHead
from lexel.encoders.heads.zero_shot import ZeroShotHead
from lexel.encoders.image.regions import RegionBackbone
from lexel.encoders.towers import DualTower, PairTower
from lexel.encoders.vocabulary.vocabulary import Vocabulary
from lexel.pipeline.errors import ConfigError
from lexel.pipeline.train.data.standardize import Standardizer
from lexel.pipeline.train.data.training_set import TrainingSet
from lexel.pipeline.train.starting_encoder import KnownWords, StartingEncoder
from lexel.pipeline.train.training_options import TrainOptions

AnyTower = PairTower | DualTower


def check(base: StartingEncoder, options: TrainOptions) -> None:
    """Raise ConfigError if `base` cannot be trained with these options."""
    aligned = options.tower not in {"auto", "keep"}
    if options.tower == "keep" and not base.trained:
        raise ConfigError("A pair that was never trained has nothing to keep; leave --tower at auto.")
    if aligned and not isinstance(base.tower, PairTower):
        raise ConfigError("This encoder's towers are one network; give `--tower keep` or `lexel finetune`.")
    if options.head == "labels" and base.image is None:
        raise ConfigError("The head labels needs the classifier's own features; give --encoder IMAGE+TEXT.")
    if regions_of(base.tower) and options.head != "lexicon":
        raise ConfigError(f"Regions of a picture cannot be read by the head {options.head}; give `--head lexicon`.")


def regions_of(tower: AnyTower) -> int:
    """The number of regions per image in the features; 0 if they describe the whole image."""
    backbone = tower.image if isinstance(tower, PairTower) else None
    return backbone.regions if isinstance(backbone, RegionBackbone) else 0


def trainable(kind: str, tower: AnyTower, terms: int, *, hidden: int) -> Trainable:
    """A new head of `kind` for the features of `tower`; `hidden` units of a residual MLP, if that kind has one."""
    backbone = tower.image if isinstance(tower, PairTower) else None
    if isinstance(backbone, RegionBackbone):
        return RegionHead(LexiconHead(features=backbone.width, terms=terms, hidden=hidden), regions=backbone.regions)
    features = tower.feature_dim or tower.dim
    if kind == "bce":
        return WordClassifierHead(features=features, terms=terms)
    if kind == "expand":
        return ExpandHead(features=features, dim=tower.dim, terms=terms, hidden=hidden)
    return LexiconHead(features=features, terms=terms, hidden=hidden)


def continued(words: KnownWords, vocabulary: Vocabulary, standard: Standardizer) -> LexiconHead:
    """The head of `words` for standardised features, with untrained rows for the further terms of `vocabulary`."""
    old = words.head
    head = LexiconHead(features=old.logits.in_features, terms=len(vocabulary), hidden=old.hidden)
    fresh = head.state_dict()
    for name, value in old.state_dict().items():
        fresh[name][: len(value)] = value
    standard.unfold_from(head.logits)
    return head


def untrained(kind: str, base: StartingEncoder, vocabulary: Vocabulary, training_set: TrainingSet) -> AnyHead:
    """A head that needs no training: "labels" or "zeroshot". Raises ConfigError if `base` has no usable labels."""
    if kind == "zeroshot":
        return ZeroShotHead.of(base.tower, vocabulary).calibrated(training_set.sample(5000))
    assert base.image is not None  # see `check`
    try:
        return LabelsHead.of(base.image, vocabulary)
    except EncoderError as error:
        raise ConfigError(str(error)) from error
