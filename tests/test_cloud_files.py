"""The image and the cluster file of `cloud/`, as far as they can be checked without Docker and a cloud."""

from __future__ import annotations

import configparser
import json
import re
import shlex
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from helpers.needs import need

need("ray")

from ray.autoscaler._private.docker import docker_start_cmds  # noqa: E402
from ray.autoscaler._private.util import prepare_config, validate_config  # noqa: E402

ROOT = Path(__file__).parents[1]


def test_the_image_installs_what_is_there_on_a_python_that_fits(capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "cloud" / "Dockerfile").read_text(encoding="utf-8")
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    version = re.search(r"^FROM python:(\d+)\.(\d+)", text, re.MULTILINE)
    assert version
    least = [int(n) for n in setup["options"]["python_requires"].removeprefix(">=").split(".")]
    assert [int(version[1]), int(version[2])] >= least
    extras = re.search(r"pip install [^\n]*'\.\[([\w,]+)\]'", text)
    assert extras
    assert all(name in setup["options.extras_require"] for name in extras[1].split(","))
    for copied in re.findall(r"^COPY (.+) \S+$", text, re.MULTILINE):
        assert all((ROOT / name).exists() for name in copied.split())
    entry = json.loads(re.search(r"^ENTRYPOINT (.+)$", text, re.MULTILINE)[1])  # type: ignore[index]
    module, *arguments = json.loads(re.search(r"^CMD (.+)$", text, re.MULTILINE)[1])  # type: ignore[index]
    assert entry == ["python", "-m"]
    assert import_module(module).main(arguments) == 0
    assert f"python -m {module}" in capsys.readouterr().out


def test_the_cluster_file_is_one_of_the_launcher() -> None:
    settings = yaml.safe_load((ROOT / "cloud" / "cluster.yaml").read_text(encoding="utf-8"))
    whole = prepare_config(settings)  # with the launcher's own defaults for this cloud
    validate_config(whole | {"cluster_synced_files": []})
    assert whole["head_node_type"] in whole["available_node_types"]
    assert all("InstanceType" in node["node_config"] for node in whole["available_node_types"].values())
    docker = whole["docker"]
    options = (docker["image"], {}, docker["container_name"], docker["run_options"], whole["cluster_name"])
    started = shlex.split(docker_start_cmds("root", *options, "/root", "docker"))
    # Not the image's entry point, which is Python: the launcher runs a shell.
    assert started[-2:] == [docker["image"], "bash"]
    assert "--entrypoint=" in started
    starts = whole["head_start_ray_commands"] + whole["worker_start_ray_commands"]
    assert all(command.startswith("ray ") for command in starts)
