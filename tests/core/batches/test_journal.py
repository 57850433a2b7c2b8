"""The journal: whole records, whatever was cut short, and the index that is made of it."""

from __future__ import annotations

import errno
import json
import os

import limner
import pytest
from limner.batches import journal
from limner.batches.journal import Journal
from limner.batches.pacing import Pace, parse_rate


def records(path):
    return list(journal.read(path))


def test_a_torn_end_is_taken_off_and_nothing_is_glued_to_it(tmp_path):
    path = tmp_path / "journal.jsonl"
    with Journal(path) as made:
        made.append({"event": "planned", "id": "a" * 100_000})
    whole = path.read_bytes()
    for torn in (b'{"event":"se', b'{"event":"sent","id":"b"}', b"\0" * 70_000, b"{"):
        path.write_bytes(whole + torn)
        assert len(records(path)) == 2
        with Journal(path) as made:
            made.append({"event": "sent", "id": "b"})
        assert [record["event"] for record in records(path)] == ["batch", "planned", "sent"]


def test_a_torn_first_record_begins_anew(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"event":"ba')
    with Journal(path):
        pass
    assert records(path) == [{"event": "batch", "version": 1}]


def test_a_line_that_is_no_record_is_refused_by_number(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"event":"batch","version":1}\n\0\0\0\n{"event":"planned","id":"a"}\n')
    with pytest.raises(limner.TaskRefused, match=r"line 2.*is not a record of a batch"):
        records(path)
    path.write_bytes(b'{"event":"batch","version":2}\n')
    with pytest.raises(limner.TaskRefused, match="has version 2; this limner reads 1"):
        records(path)


def test_a_record_is_one_write(tmp_path, monkeypatch):
    writes = []
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: writes.append(data) or write(file, data))
    with Journal(tmp_path / "journal.jsonl") as made:
        made.append({"event": "planned", "id": "a"}, {"event": "planned", "id": "b"}, durable=True)
    assert [json.loads(data)["event"] for data in writes] == ["batch", "planned", "planned"]


def test_a_record_that_the_disk_cuts_short_is_taken_back(tmp_path, monkeypatch):
    path = tmp_path / "journal.jsonl"
    write = os.write
    with Journal(path) as made:
        monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:5]))
        with pytest.raises(OSError, match="No space left") as caught:
            made.append({"event": "planned", "id": "a"})
        assert caught.value.errno == errno.ENOSPC
        monkeypatch.undo()
        made.append({"event": "planned", "id": "b"})
    assert [record.get("id") for record in records(path)] == [None, "b"]


def test_what_was_spent_is_counted_by_attempts():
    events = ["planned", "sent", "unmade", "sent", "unknown", "sent", "failed", "sent", "done"]
    known = journal.settled({"event": event, "id": "a"} for event in events)
    assert (known["a"]["spent"], known["a"]["status"]) == (2, "done")


@pytest.mark.parametrize(("text", "rate"), [("60/min", 1.0), ("2/s", 2.0), ("1800 / h", 0.5), ("0.5/s", 0.5)])
def test_rates(text, rate):
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["60", "0/s", "-1/s", "60/day", "/min", "1e3/s", "nan/s"])
def test_what_is_no_rate(text):
    with pytest.raises(limner.TaskRefused, match="60/min"):
        parse_rate(text)


def test_the_bucket_gives_no_more_than_the_rate():
    now = [0.0]
    pace = Pace(2.0, lambda: now[0])
    sent = []
    while now[0] < 30:
        wait = pace.wait()
        if wait == 0:
            pace.sent(1 + len(sent) % 3)  # some tasks take several calls
            sent.append(1 + len(sent) % 3)
        now[0] += max(wait, 0.001)
    assert sum(sent) <= 2 * 30 + 2 + 3
    assert sum(sent) >= 2 * 30 - 3


def test_pauses_grow_and_end_with_an_answer():
    now = [0.0]
    pace = Pace(None, lambda: now[0])
    waits = []
    for _ in range(6):
        pace.throttled(None)
        pace.throttled(None)  # that of a call which was out at the same time
        waits.append(pace.wait())
        now[0] += waits[-1]
    assert all(0.5 * base <= wait <= base for wait, base in zip(waits, (0.25, 0.5, 1, 2, 4, 8), strict=True))
    pace.answered()
    pace.throttled(None)
    assert pace.wait() <= 0.25
    pace.throttled(30.0)
    assert pace.wait() == pytest.approx(30.0)
