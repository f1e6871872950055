"""What others wrote is data and nothing else: no pickle is read, no member of an archive leaves its place."""

import ast
import io
import pickle
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from support.checkout import ROOT
from support.jobs import failures, run, uris
from support.making import jpeg, random_encoder

from lexel.encoders import EncoderError, open_encoder
from lexel.encoders.model import load_model

FILES = sorted(path for package in ("encoders", "pipeline", "mappings") for path in (ROOT / package).rglob("*.py"))
READ_AS_CODE = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "shelve", "marshal", "pandas"}


def calls(path: Path) -> list[tuple[str, ast.Call]]:
    found = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return [(ast.unparse(node.func), node) for node in found]


def given(call: ast.Call, name: str) -> object:
    return next((ast.literal_eval(k.value) for k in call.keywords if k.arg == name), None)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_nothing_is_unpickled_or_run(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", None) or ""]
            assert not READ_AS_CODE & {name.split(".")[0] for name in names}, path
    for name, call in calls(path):
        assert name not in {"eval", "exec", "os.system", "yaml.load", "yaml.unsafe_load"}, f"{path} calls {name}"
        assert name not in {"tar.extractall", "tar.extract", "archive.extractall"}, f"{path} unpacks an archive"
        assert given(call, "shell") is not True, f"{path} runs a shell"
        assert given(call, "allow_pickle") is not True, f"{path} reads pickled arrays"
        if name == "torch.load":
            assert given(call, "weights_only") is True, f"{path} unpickles"
        if name.endswith("from_pretrained") and given(call, "trust_remote_code") is not None:
            assert given(call, "trust_remote_code") is False


class Harm:
    """What runs code where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> object:
        return Path.touch, (self.mark,)


def test_a_pickle_in_the_place_of_weights_is_refused_and_not_run(tmp_path: Path) -> None:
    encoder, mark = random_encoder(tmp_path / "encoder").folder, tmp_path / "ran"
    weights = sorted(encoder.glob("*.safetensors"))
    assert weights
    for path in weights:
        path.write_bytes(pickle.dumps(Harm(mark)))
    torch.save({"a": Harm(mark)}, encoder / "pytorch_model.bin")
    with pytest.raises(EncoderError):
        load_model(open_encoder(str(encoder)), device="cpu")
    assert not mark.exists()
    with pytest.raises(ValueError, match="allow_pickle"):
        np.load(io.BytesIO(_pickled_array(mark)))
    assert not mark.exists()


def _pickled_array(mark: Path) -> bytes:
    file = io.BytesIO()
    np.save(file, np.array([Harm(mark)], dtype=object), allow_pickle=True)
    return file.getvalue()


NAMES = ("../../escaped.jpg", "/tmp/lexel-escaped.jpg", "a/../../escaped.jpg", "b\\..\\escaped.jpg", "~/escaped.jpg")


def _tar(path: Path) -> Path:
    with tarfile.open(path, "w:gz" if path.suffix == ".gz" else "w") as tar:
        for i, name in enumerate(NAMES):
            _add(tar, tarfile.TarInfo(name), jpeg(i))
        for i, kind in enumerate((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE)):
            odd = tarfile.TarInfo(f"odd{i}.jpg")
            odd.type, odd.linkname = kind, "/etc/passwd"
            _add(tar, odd, b"")
        _add(tar, tarfile.TarInfo("good.jpg"), jpeg(9))
    return path


def _add(tar: tarfile.TarFile, member: tarfile.TarInfo, content: bytes) -> None:
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz"])
def test_members_of_a_tar_stay_in_it(tmp_path: Path, name: str) -> None:
    """A member's name is a name and nothing more: nothing is written, links and devices are not followed."""
    inside = tmp_path / "inside"
    inside.mkdir()
    _tar(inside / name)
    run(inside / name, tmp_path / "out", random_encoder(tmp_path / "encoder"))
    assert set(uris(tmp_path / "out")) == {f"{name}/{member}" for member in (*NAMES, "good.jpg")}
    assert failures(tmp_path / "out") == {}
    assert not Path("/tmp/lexel-escaped.jpg").exists()
    assert not list(tmp_path.rglob("*escaped*"))
    assert not list(tmp_path.parent.glob("*escaped*"))


def test_a_manifest_reads_files_and_addresses_as_pictures_only(tmp_path: Path) -> None:
    """It may name a file anywhere, which its owner can read anyway; what is no picture shows nothing of itself."""
    secret = tmp_path / "secret.txt"
    secret.write_text("swordfish-11aa")
    rows = ["image", str(secret), "http://127.0.0.1:9/a.jpg", "file:///etc/passwd", "/dev/zero", "a\x00b.jpg"]
    (tmp_path / "m.csv").write_text("\n".join(rows) + "\n")
    run(tmp_path / "m.csv", tmp_path / "out", random_encoder(tmp_path / "encoder"))
    reasons = failures(tmp_path / "out")
    assert len(reasons) == 5
    assert reasons["http://127.0.0.1:9/a.jpg"].startswith("unreadable: 127.0.0.1 cannot be reached")
    written = b"".join(path.read_bytes() for path in (tmp_path / "out").iterdir())
    assert b"swordfish-11aa" not in written


def test_an_office_file_is_no_archive_to_look_into(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.jpg", "w") as archive:
        archive.writestr("../escaped.jpg", jpeg())
    run(tmp_path / "a.jpg", tmp_path / "out", random_encoder(tmp_path / "encoder"))
    assert failures(tmp_path / "out") == {"a.jpg": "not an image: no decoder knows these bytes"}
