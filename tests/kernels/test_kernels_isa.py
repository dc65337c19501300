"""The choice of the instruction set."""

import os
import subprocess
import sys

import pytest

from lamina import _core


def test_the_widest_set_of_the_machine_is_taken_by_default():
    code = "from lamina import _core; i = _core.build_info(); print(i['isa'] == i['isa_available'][-1])"
    environment = {name: value for name, value in os.environ.items() if name != "LAMINA_ISA"}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "True"


def test_baseline_is_always_there():
    info = _core.build_info()
    assert info["isa_available"][0] == "baseline"
    assert set(info["isa_available"]) <= set(info["isa_built"])


def test_switching(isa):
    assert _core.build_info()["isa"] == isa


def test_environment_variable_forces_one(isa):
    code = "from lamina import _core; print(_core.build_info()['isa'])"
    environment = {**os.environ, "LAMINA_ISA": isa}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == isa


def test_unknown_set_is_refused_and_nothing_changes():
    before = _core.build_info()["isa"]
    with pytest.raises(ValueError, match=r"(?s)baseline.*mmx") as error:
        _core.set_isa("mmx")
    assert before in str(error.value)
    assert _core.build_info()["isa"] == before


def test_unknown_set_in_the_environment_is_an_error_at_import():
    environment = {**os.environ, "LAMINA_ISA": "mmx"}
    code = "from lamina import _core; _core.build_info()"
    run = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert run.returncode != 0
    assert "LAMINA_ISA" in run.stderr
    assert "mmx" in run.stderr
