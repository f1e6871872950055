"""How the C library gives memory to what takes and frees much of it, such as networks on a CPU."""

import ctypes
from functools import cache
from itertools import starmap

# <malloc.h> of glibc
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8


@cache
def keep_freed_memory() -> bool:
    """Let this process keep the memory of freed tensors and texts for the next ones. Whether the C library knows how.

    By default glibc takes every large block from the system and gives it back, and the system clears each page anew: a
    convolutional network's forward passes then spend more time in page faults than in arithmetic. To be called before
    there are threads: those that have begun keep what they have.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, or another system
        return False
    # By default each thread takes memory of its own, in pieces too small for a batch: one for all of them serves all.
    wanted = {_ARENA_MAX: 1, _MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 64 << 20}
    return all(list(starmap(mallopt, wanted.items())))
