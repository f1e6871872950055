"""The error of this package; the command line prints it as one line."""


class EncoderError(Exception):
    """An encoder cannot be found, read or used. The message is one sentence that says what to do."""
