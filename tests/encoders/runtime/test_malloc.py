"""Freed memory is kept where the C library can."""

import platform

from lexel.encoders.runtime.malloc import keep_freed_memory


def test_glibc_takes_all_three_settings() -> None:
    assert keep_freed_memory() == (platform.libc_ver()[0] == "glibc")
