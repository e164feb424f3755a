"""What is worked out once is kept for this optviz alone, and only of what is its own."""

import json

import pytest

from optviz import SGD, disk


class Own(SGD):
    """Somebody's own rule."""


@pytest.fixture
def count(tmp_path, monkeypatch):
    """Work that says how often it was done, and a folder of its own to be kept in."""
    monkeypatch.setattr(disk, "folder", lambda name: tmp_path)
    done: list[int] = []

    def work():
        done.append(len(done))
        return {"times": len(done)}

    return work


def test_work_is_done_once_and_again_with_something_else(count):
    assert [disk.lasting("forms", SGD, count, 1)["times"] for _ in range(3)] == [1, 1, 1]
    assert disk.lasting("forms", SGD, count, 2)["times"] == 2
    assert disk.lasting("minima", SGD, count, 1)["times"] == 3
    assert disk.lasting("forms", SGD, count, 1)["times"] == 1


def test_another_optviz_keeps_its_own(count, monkeypatch):
    assert disk.lasting("forms", SGD, count)["times"] == 1
    monkeypatch.setattr(disk, "stamp", lambda: "another")
    assert disk.lasting("forms", SGD, count)["times"] == 2


def test_what_somebody_writes_is_worked_out_each_time(count):
    assert [disk.lasting("forms", Own, count)["times"] for _ in range(2)] == [1, 2]


def test_damage_and_a_folder_that_cannot_be_trusted_cost_time_alone(count, tmp_path, monkeypatch):
    disk.lasting("forms", SGD, count)
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:32] + json.dumps({"times": 7}).encode())
    assert disk.lasting("forms", SGD, count)["times"] == 2
    monkeypatch.setattr(disk, "folder", lambda name: None)
    assert disk.lasting("forms", SGD, count)["times"] == 3
