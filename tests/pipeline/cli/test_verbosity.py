"""How much commands say: bars, plain lines for logs, -v and -q, cards of encoders, completion."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.commands import lexel
from support.making import photo_folder, random_encoder

from lexel.pipeline.cli.main import COMMANDS
from lexel.pipeline.cli.views import job_progress
from lexel.pipeline.cli.views.console import clock


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return photo_folder(tmp_path_factory.mktemp("photos"), count=6)


class Clock:
    """A clock that a test moves on."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(job_progress, "time", made)
    return made


def test_a_log_gets_a_line_every_half_minute(hands: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with job_progress.Bar("Encoding train") as bar:
        bar.plan(total=10_000, done=2000)
        for _ in range(70):  # a second and 50 items each
            hands.now += 1
            bar.advance(encoded=49, failed=1)
    assert capsys.readouterr().err.splitlines() == [
        "Encoding train: 3,500 of 10,000 (35 %), 50.0/s, 2 min 10 s left, 30 failed",
        "Encoding train: 5,000 of 10,000 (50 %), 50.0/s, 1 min 40 s left, 60 failed",
    ]


def test_a_job_of_half_a_minute_says_nothing_on_its_way(hands: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with job_progress.Bar("Encoding") as bar:
        bar.plan(total=2, done=0)
        hands.now += 29
        bar.advance(encoded=2, failed=0)
    assert capsys.readouterr().err == ""


def test_a_job_of_unknown_length_has_no_share(hands: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with job_progress.Bar("Reading") as bar:
        hands.now += 40
        bar.advance(encoded=0, failed=0)
    assert capsys.readouterr().err == "Reading: 0 of 0, 0.0/s\n"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (59.6, "1 min 0 s"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_times_are_said_as_people_say_them(seconds: float, said: str) -> None:
    assert clock(seconds) == said


@pytest.mark.parametrize("before", [True, False], ids=["lexel -v encode", "lexel encode -v"])
def test_verbose_says_where_the_time_went(photos: Path, tmp_path: Path, before: bool) -> None:
    words = ["encode", str(photos), str(tmp_path / "out"), "--device", "cpu"]
    answer = lexel(*(["-v", *words] if before else [*words, "-v"]))
    assert answer.returncode == 0, answer.stderr
    assert re.fullmatch(
        r"Encoding: \d+\.\d s; by step, over all threads: .*\bdecoding \d+\.\d s.*\bnetwork \d+\.\d s.*\n",
        answer.stderr,
    )


def test_quiet_says_nothing_of_what_went_well(photos: Path, tmp_path: Path) -> None:
    words = ["encode", str(photos), str(tmp_path / "out"), "--device", "cpu"]
    assert "6 of 6 items encoded" in lexel(*words).stdout
    answer = lexel(*words, "-q")
    assert (answer.returncode, answer.stdout, answer.stderr) == (0, "", "")
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad/a.jpg").write_bytes(b"bad")
    failed = lexel("-q", "encode", str(tmp_path / "bad"), str(tmp_path / "none"))
    assert failed.stdout.startswith("1 failed: ")
    assert lexel("-q", "encode", "no/such/place", str(tmp_path / "x")).stderr.startswith("lexel: There is nothing at")


def test_quiet_answers_still(photos: Path) -> None:
    assert len(json.loads(lexel("terms", str(photos / "000.jpg"), "--json", "-q").stdout)) == 1


def test_the_encoders_that_there_are() -> None:
    photo, card = json.loads(lexel("encoders", "--json").stdout)
    assert (photo["name"], photo["dim"], photo["licence"]) == ("lexel-photo", 512, "apache-2.0")
    assert 4000 <= photo["terms"] <= 8000
    assert photo["size"] < 25e6
    assert (card["name"], card["dim"], card["terms"]) == ("lexel-tiny", 256, 1869)
    assert (card["licence"], card["language"]) == ("apache-2.0", "English")
    assert "Flickr8k" in card["trained_on"]
    assert 10e6 < card["size"] < 20e6
    shown = lexel("encoders").stdout
    assert "lexel-tiny" in shown
    assert "1,869" in shown


def test_a_folder_of_ones_own_is_listed_with_what_it_says_of_itself(tmp_path: Path) -> None:
    encoder = random_encoder(tmp_path / "mine")
    card = json.loads(lexel("encoders", str(encoder.folder), "--json").stdout)[-1]
    assert (card["licence"], card["language"], card["trained_on"]) == (None, None, None)
    (encoder.folder / "README.md").write_text("---\nlicense: mit\nlanguage: [de, en]\n---\n# mine\n")
    card = json.loads(lexel("encoders", str(encoder.folder), "--json").stdout)[-1]
    assert (card["licence"], card["language"]) == ("mit", "de, en")
    (encoder.folder / "README.md").write_text("---\n: [\n---\n")
    assert lexel("encoders", str(encoder.folder)).returncode == 0
    missing = lexel("encoders", str(tmp_path / "none"))
    assert missing.returncode == 1
    assert missing.stderr.startswith("lexel: ")


def test_commands_and_options_stand_in_panels() -> None:
    shown = lexel("--help").stdout
    for panel, commands in COMMANDS.items():
        assert f"─ {panel} ─" in shown
        assert all(command in shown for command in commands)
    encode = lexel("encode", "--help").stdout
    assert [found for found in re.findall(r"╭─ ([\w ]+?) ─", encode) if found not in {"Arguments", "Options"}] == [
        "Input",
        "Encoder",
        "Speed",
        "Output",
    ]
    assert "─ OpenSearch ─" in lexel("index", "--help").stdout


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("lexel enco", ["encode", "encoders"]), ("lexel encode a b --encoder lex", ["lexel-photo", "lexel-tiny"])],
)
def test_the_shell_completes_commands_and_encoders(typed: str, offered: list[str]) -> None:
    program = "from lexel.pipeline.cli.main import app; app(prog_name='lexel')"
    words = {"_LEXEL_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()) - 1)}
    answer = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=os.environ | words, check=False
    )
    assert answer.stdout.split() == offered
