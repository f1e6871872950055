"""The errors that users can meet.

    LexelError          the message is one sentence that says what to do; the command line prints it and exits 1
    +-- SourceError     the images or the manifest cannot be read
    +-- ShardError      a shard folder is foreign, broken or made by another encoder
    +-- ClusterError    OpenSearch cannot be reached, or refuses the request
    |   +-- NotThereError   an index, or an item of one, does not exist
    +-- EngineError     the embedded node cannot be assembled, started or stopped
    +-- WriteError      a file cannot be written: the disk is full, or permission is denied
    +-- ConfigError     an option or a configuration file is invalid

The package `encoders` does not import this one and has its own `lexel.encoders.EncoderError`.
"""


class LexelError(Exception):
    """An error that the user can fix; the message is one sentence that says how."""


class SourceError(LexelError):
    """The images or the manifest cannot be read."""


class ShardError(LexelError):
    """A shard folder is foreign, broken or made by another encoder."""


class ClusterError(LexelError):
    """OpenSearch cannot be reached, or refuses the request."""


class NotThereError(ClusterError):
    """An index, or an item of one, does not exist."""


class EngineError(LexelError):
    """The embedded node cannot be assembled, started or stopped."""


class WriteError(LexelError):
    """A file cannot be written: the disk is full, or permission is denied."""


class ConfigError(LexelError):
    """An option or a configuration file is invalid."""
