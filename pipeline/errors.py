"""What can go wrong for a person using lexel.

    LexelError          one sentence that says what to do next; the command line prints it and exits 1
    +-- SourceError     the pictures or the manifest cannot be read
    +-- ShardError      a folder of shards is foreign, broken or made by another encoder
    +-- ClusterError    OpenSearch cannot be reached, or refuses
    |   +-- NotThereError   what was named is not in OpenSearch: an index, or an item of one
    +-- EngineError     the embedded node cannot be assembled, started or stopped
    +-- WriteError      a file cannot be written: a full disk, a folder without rights
    +-- ConfigError     an option or a configuration file makes no sense

The encoders know nothing of this package and have a root of their own, `lexel.encoders.EncoderError`.
"""


class LexelError(Exception):
    """Something a person can put right; its text is one sentence that says how."""


class SourceError(LexelError):
    """The pictures or the manifest cannot be read."""


class ShardError(LexelError):
    """A folder of shards is foreign, broken or made by another encoder."""


class ClusterError(LexelError):
    """OpenSearch cannot be reached, or refuses what was asked."""


class NotThereError(ClusterError):
    """What was named is not in OpenSearch: an index, or an item of one."""


class EngineError(LexelError):
    """The embedded node cannot be assembled, started or stopped."""


class WriteError(LexelError):
    """A file cannot be written: the disk is full, or the folder is not ours to write."""


class ConfigError(LexelError):
    """An option or a configuration file makes no sense."""
