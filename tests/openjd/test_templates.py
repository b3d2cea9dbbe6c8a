# SPDX-License-Identifier: GPL-3.0-or-later
"""What scripts/openjd holds is valid, and what it says of keys is true."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.farm_template import TEMPLATE

FARM = TEMPLATE.parents[1]
KEY_ENVIRONMENT = FARM / "key_from_secrets_manager.yaml"
ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:pixal3d-AbCdEf"
TIMEOUT_SECONDS = 60

# `aws` as it would answer; it fails if it is not asked for that secret in that region.
FAKE_AWS = """
import os, sys
wanted = ["secretsmanager", "get-secret-value", "--secret-id", {arn!r}, "--region", "eu-central-1"]
sys.exit("no") if sys.argv[1:7] != wanted else print(os.environ["FAKE_SECRET"])
"""

SHOWS_KEY = {
    "specificationVersion": "jobtemplate-2023-09",
    "name": "Shows",
    "steps": [
        {
            "name": "Show",
            "script": {
                "actions": {
                    "onRun": {
                        "command": "sh",
                        "args": [
                            "-c",
                            'echo "as it is: $SCENARIO_SDK_API_KEY"; '
                            'echo "turned round:" $(echo "$SCENARIO_SDK_API_KEY:$SCENARIO_SDK_API_SECRET" | rev)',
                        ],
                    }
                }
            },
        }
    ],
}


def run(openjd: Path, *arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [openjd, *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )


@pytest.mark.parametrize("template", [TEMPLATE, KEY_ENVIRONMENT], ids=lambda path: path.name)
def test_the_template_passes_the_check(openjd: Path, template: Path) -> None:
    done = run(openjd, "check", template)
    assert done.returncode == 0, done.stdout


def test_the_bundles_values_are_of_parameters_that_the_template_has() -> None:
    values = (TEMPLATE.parent / "parameter_values.yaml").read_text(encoding="utf-8")
    names = set(re.findall(r"^- name: (\w+)", values, re.MULTILINE))
    known = set(re.findall(r'^- name: "?(\w+)', TEMPLATE.read_text(encoding="utf-8"), re.MULTILINE))
    assert names and names <= known


@pytest.fixture
def fake_aws(tmp_path: Path) -> Path:
    """A folder for PATH. With a python3 of its own: pyenv's puts other folders before it in PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "aws").write_text(f"#!{sys.executable}\n{FAKE_AWS.format(arn=ARN)}")
    (folder / "python3").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for program in folder.iterdir():
        program.chmod(0o755)
    return folder


def with_key_environment(openjd: Path, fake_aws: Path, secret: str) -> subprocess.CompletedProcess[str]:
    job = fake_aws / "job.json"
    job.write_text(json.dumps(SHOWS_KEY))
    path = f"{fake_aws}{os.pathsep}{os.environ['PATH']}"
    arguments = ("--environment", KEY_ENVIRONMENT, "-p", f"ScenarioSecretArn={ARN}")
    return run(openjd, "run", job, *arguments, PATH=path, FAKE_SECRET=secret)


def test_the_queue_environment_brings_the_key_to_the_tasks_and_not_to_the_log(openjd: Path, fake_aws: Path) -> None:
    secret = {"SCENARIO_SDK_API_KEY": "key-0123456789", "SCENARIO_SDK_API_SECRET": "secret-9876543210", "more": "else"}
    done = with_key_environment(openjd, fake_aws, json.dumps(secret))
    assert done.returncode == 0, done.stdout
    assert "turned round: 0123456789-terces:9876543210-yek" in done.stdout
    assert "as it is:" in done.stdout
    for word in secret.values():
        assert word not in done.stdout


@pytest.mark.parametrize("secret", ["key-0123456789", '{"SCENARIO_SDK_API_KEY": "key-0123456789"}', '"key-0123456789"'])
def test_a_secret_of_another_form_fails_the_job_without_being_told(openjd: Path, fake_aws: Path, secret: str) -> None:
    done = with_key_environment(openjd, fake_aws, secret)
    assert done.returncode != 0
    assert "The secret is not JSON with" in done.stdout
    assert "key-0123456789" not in done.stdout
    assert "as it is" not in done.stdout
