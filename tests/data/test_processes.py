import pytest
from accelerate import PartialState

from u2u_hf.data.processes import Alone, accelerator, gathered, processes


@pytest.mark.parametrize("size", [None, "", "1"])
def test_without_a_launcher_this_process_has_all_the_work(monkeypatch, size):
    if size is None:
        monkeypatch.delenv("WORLD_SIZE", raising=False)
    else:
        monkeypatch.setenv("WORLD_SIZE", size)
    state = processes()
    assert isinstance(state, Alone)
    assert state.is_main_process
    with state.main_process_first(), state.split_between_processes([1, 2, 3]) as own:
        assert own == [1, 2, 3]
    state.wait_for_everyone()
    assert gathered(own) == [1, 2, 3]


def test_what_one_process_is_told_is_what_accelerate_tells_it():
    theirs = accelerator()
    assert isinstance(theirs, PartialState)
    assert theirs.is_main_process == Alone.is_main_process
    assert theirs.is_local_main_process == Alone.is_local_main_process


def test_a_launcher_is_asked_for_its_processes(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr("u2u_hf.data.processes.accelerator", lambda: "accelerate")
    assert processes() == "accelerate"
