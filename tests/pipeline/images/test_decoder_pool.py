"""Decoding aside: no file stops a job, whatever is in it, and what comes back is what decoding here gives."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image
from soak.bad import KINDS, scans
from soak.parts.pictures import look, some
from support.checkout import ROOT
from support.jobs import failures, run, uris
from support.making import jpeg, photo_folder, picture, random_encoder, saved

from lexel.pipeline.images import decoder_pool, preview
from lexel.pipeline.images.decode import BadImageError, decode
from lexel.pipeline.images.preview import PreviewOptions

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")  # of formats that it will not write any more
ON_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="a process's memory is limited and read there")


@pytest.fixture(autouse=True)
def fresh() -> None:
    """Each test begins without a decoder."""
    decoder_pool.end_all()


@pytest.fixture
def decoder_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str], None]:
    """Puts this code in the place of the decoder's program."""

    def instead(code: str) -> None:
        (tmp_path / "code.py").write_text(code)
        (tmp_path / "python").write_text(f"#!/bin/sh\nexec {sys.executable} {tmp_path / 'code.py'}\n")
        (tmp_path / "python").chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))

    return instead


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_it_gives_the_pixels_that_decoding_here_gives(kind: str) -> None:
    content = saved(picture(3, (331, 207)), kind)
    assert decoder_pool.decode(content).image.tobytes() == decode(content).image.tobytes()
    assert decoder_pool.decode(content).size == (331, 207)


@pytest.mark.parametrize("thumbnail", [0, 100, 256])
def test_its_preview_is_that_of_the_parent_process(thumbnail: int) -> None:
    content = jpeg(3, (331, 207))
    seen = decoder_pool.decode(content, preview=PreviewOptions(thumbnail))
    assert seen.preview == preview.make_preview(decode(content).image, side=thumbnail)
    assert (seen.preview.thumbnail is None) == (thumbnail == 0)
    assert decoder_pool.decode(content).preview is None
    assert len(decoder_pool._idle) == 1


def test_what_cannot_be_looked_at_is_a_reason(decoder_is: Callable[[str], None]) -> None:
    decoder_is(
        "import lexel.pipeline.images.decoder_process as d\n"
        "def make_preview(image, *, side): raise OverflowError('too many')\n"
        "d.make_preview = make_preview; d.main()"
    )
    with pytest.raises(BadImageError, match=r"^not usable: OverflowError too many$"):
        decoder_pool.decode(jpeg(), preview=PreviewOptions(0))
    assert decoder_pool.decode(jpeg()).size == (64, 48)
    assert len(decoder_pool._idle) == 1


def test_what_cannot_be_sent_is_a_reason_and_not_half_a_picture(decoder_is: Callable[[str], None]) -> None:
    decoder_is(
        "import lexel.pipeline.images.decoder_process as d\n"
        "from PIL import Image\n"
        "class Full(Image.Image):\n"
        "    size = (9000, 9000)\n"
        "    def tobytes(self): raise MemoryError\n"
        "d.decode = lambda content, *, least, facts: (Full(), (9000, 9000), {})\n"
        "d.main()"
    )
    with pytest.raises(BadImageError, match=r"^not usable: MemoryError$"):
        decoder_pool.decode(jpeg())
    assert len(decoder_pool._idle) == 1


def test_it_gives_the_reasons_that_decoding_here_gives() -> None:
    for content in (b"", b"no picture", jpeg()[:300]):
        with pytest.raises(BadImageError) as here:
            decode(content)
        with pytest.raises(BadImageError) as there:
            decoder_pool.decode(content)
        assert str(there.value) == str(here.value)
    assert len(decoder_pool._idle) == 1  # one decoder answered them all


def test_a_picture_that_takes_for_ever_is_given_up() -> None:
    began = time.monotonic()
    with pytest.raises(BadImageError, match=r"^too slow: not decoded within 1 seconds$"):
        decoder_pool.decode(scans(20_000), seconds=1)
    assert time.monotonic() - began < 30  # where it would take some minutes
    assert decoder_pool.decode(jpeg()).size == (64, 48)


@ON_LINUX
def test_a_picture_that_takes_too_much_memory_is_given_up(decoder_is: Callable[[str], None]) -> None:
    decoder_is("import lexel.pipeline.images.decoder_process as d; d.MAX_MEMORY = 400 << 20; d.main()")
    with pytest.raises(BadImageError, match=r"^too large: there is not enough memory"):
        decoder_pool.decode(saved(Image.new("RGB", (9000, 9000)), "PNG"))
    assert decoder_pool.decode(jpeg()).size == (64, 48)
    assert len(decoder_pool._idle) == 1


def test_a_picture_that_ends_its_decoder_is_bad(decoder_is: Callable[[str], None]) -> None:
    decoder_is(
        "import os, signal, lexel.pipeline.images.decoder_process as d; known = d.decode\n"
        'd.decode = lambda c, **how: os.kill(os.getpid(), signal.SIGSEGV) if c == b"crash" else known(c, **how)\n'
        "d.main()"
    )
    with pytest.raises(BadImageError, match=r"^broken: it ends the decoder \(exit code -11\)$"):
        decoder_pool.decode(b"crash")
    assert decoder_pool.decode(jpeg()).size == (64, 48)


def test_a_decoder_that_somebody_ends_costs_nothing() -> None:
    decoder_pool.decode(jpeg())
    decoder_pool._idle[0].process.kill()
    decoder_pool._idle[0].process.wait()
    assert decoder_pool.decode(jpeg()).size == (64, 48)


def test_decoders_that_somebody_ends_all_at_once_cost_nothing() -> None:
    decoder_pool._idle.extend(decoder_pool._start() for _ in range(3))
    for decoder in decoder_pool._idle:
        decoder.process.kill()
        decoder.process.wait()
    for _ in range(3):
        assert decoder_pool.decode(jpeg()).size == (64, 48)


def test_many_threads_each_get_their_own_picture() -> None:
    sizes = [(20 + i, 30 + i) for i in range(40)]
    found: list[tuple[int, int]] = [(0, 0)] * len(sizes)

    def ask(i: int) -> None:
        found[i] = decoder_pool.decode(jpeg(i, sizes[i])).size

    for start in range(0, len(sizes), 4):
        threads = [threading.Thread(target=ask, args=(i,)) for i in range(start, start + 4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == sizes
    assert len(decoder_pool._idle) <= 4


@ON_LINUX
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_decoders_end_with_the_job_however_it_ends(how: signal.Signals) -> None:
    code = (
        "import sys, time; sys.path.insert(0, 'tests')\nfrom support.making import jpeg\n"
        "from lexel.pipeline.images import decoder_pool\n"
        "decoder_pool.decode(jpeg()); print(decoder_pool._idle[0].process.pid, flush=True); time.sleep(100)"
    )
    job = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT)
    assert job.stdout is not None
    decoder = int(job.stdout.readline())
    assert b"lexel.pipeline.images.decoder_process" in Path(f"/proc/{decoder}/cmdline").read_bytes()
    job.send_signal(how)
    job.wait()
    job.stdout.close()
    deadline = time.monotonic() + 20
    while _runs(decoder) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _runs(decoder)


def _runs(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


@ON_LINUX
def test_a_forked_process_has_decoders_of_its_own() -> None:
    decoder_pool.decode(jpeg())
    child = os.fork()
    if child == 0:
        os._exit(0 if not decoder_pool._idle and decoder_pool.decode(jpeg(1, (20, 30))).size == (20, 30) else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert decoder_pool.decode(jpeg(2, (30, 20))).size == (30, 20)


def test_a_job_goes_on_after_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What takes for ever is one item's failure."""
    monkeypatch.setattr(decoder_pool, "SECONDS", 5.0)  # in which a decoder starts on a busy machine too
    folder = photo_folder(tmp_path / "photos", count=6)
    (folder / "002.jpg").write_bytes(scans(20_000))
    run(folder, tmp_path / "out", random_encoder(tmp_path / "encoder"))
    assert failures(tmp_path / "out") == {"002.jpg": "too slow: not decoded within 5 seconds"}
    assert len(uris(tmp_path / "out")) == 5


def test_every_kind_of_bad_file_is_a_reason_or_a_picture_within_bounds() -> None:
    assert len(KINDS) >= 40
    seen = look(KINDS[name]() for name in KINDS)
    assert seen.lost == []
    assert seen.reasons["pictures"] < len(KINDS) / 4
    assert seen.reasons["too slow"] >= 1  # on a busy machine others too


def test_files_that_a_fuzzer_broke_are_reasons_or_pictures_within_bounds() -> None:
    seen = look(some(random.Random(11), 1500))
    assert seen.lost == []
    assert {"pictures", "broken", "not an image", "truncated", "too large"} <= set(seen.reasons)
