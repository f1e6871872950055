"""malloc settings of glibc for programs that allocate and free large blocks, such as networks on a CPU."""

import ctypes
from functools import cache
from itertools import starmap

# <malloc.h> of glibc
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_MAX, _ARENA_MAX = -1, -2, -4, -8


@cache
def keep_freed_memory() -> bool:
    """Keep freed memory in the process for the next allocation. Returns whether the C library supports it.

    By default glibc returns large blocks to the system, which clears their pages again: a convolutional network then
    spends more time in page faults than in arithmetic. Call it before threads start, which otherwise keep their own
    arenas.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another C library, or another system
        return False
    # One arena for all threads: by default each has its own, too small for a batch.
    settings = {_ARENA_MAX: 1, _MMAP_MAX: 0, _TRIM_THRESHOLD: 2**31 - 1, _TOP_PAD: 64 << 20}
    return all(list(starmap(mallopt, settings.items())))
