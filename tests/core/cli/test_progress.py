"""Work in the background: what it prints never reaches standard output."""

import sys
import threading

import pytest
from limner.cli import progress


def test_what_the_work_prints_goes_to_stderr(capsys):
    assert progress.run_in_thread(lambda: print("by the plugin") or 7, None) == 7
    print("the result")
    assert capsys.readouterr() == ("the result\n", "by the plugin\n")


def test_what_it_prints_once_the_program_is_interrupted_too(capsys, monkeypatch):
    """The work goes on until the process ends."""
    monkeypatch.setattr(sys, "stdout", sys.stdout)  # put back after the test
    go_on, printed = threading.Event(), threading.Event()

    def work():
        go_on.wait(10)
        print("by the plugin, late")
        printed.set()

    def interrupted(_):
        raise KeyboardInterrupt

    monkeypatch.setattr(progress, "_finished", interrupted)
    with pytest.raises(KeyboardInterrupt):
        progress.run_in_thread(work, None)
    go_on.set()
    assert printed.wait(10)
    assert capsys.readouterr() == ("", "by the plugin, late\n")
