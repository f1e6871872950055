"""What docker/ says: pinned, closed to other machines, without root."""

import re

import yaml
from support.checkout import ROOT

from lexel.pipeline.engine import distribution as engine_files


def test_compose_file_is_pinned_and_open_to_this_machine_alone() -> None:
    compose = yaml.safe_load((ROOT / "docker" / "compose.yml").read_text())
    services = compose["services"]
    assert {name: service["image"].rsplit(":")[-1] for name, service in services.items()} == {
        "opensearch": engine_files.VERSION,
        "dashboards": engine_files.VERSION,
    }
    for service in services.values():
        assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in service["ports"])
        assert "curl" in service["healthcheck"]["test"]
    (volume,) = services["opensearch"]["volumes"]
    assert volume.split(":")[0] in compose["volumes"]
    assert "vis_type_vega.enableExternalUrls=true" in services["dashboards"]["command"]


def test_dockerfile_is_pinned_and_runs_without_root() -> None:
    lines = (ROOT / "docker" / "Dockerfile").read_text().splitlines()
    assert [line for line in lines if line.startswith("FROM ")] == [
        "FROM pytorch/pytorch:2.8.0-cuda12.8-cudnn9-runtime"
    ]
    steps = [line for line in lines if re.match("(USER|ENTRYPOINT) ", line)]
    assert steps == ["USER lexel", 'ENTRYPOINT ["lexel"]']
    copied = {name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]}
    assert all((ROOT / name).exists() for name in copied)
