"""What can go wrong with an encoder; the command line prints it as one line, like its own errors."""


class EncoderError(Exception):
    """An encoder cannot be found, read or used; its text is one sentence that says what to do."""
