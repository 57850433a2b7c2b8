"""What becomes of tasks: done, filtered, failed, unknown; what is sent again, and what never is."""

from __future__ import annotations

import asyncio
import itertools
import os
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor

import limner
import pytest
from limner.batches import pacing

from ..fakes import answer, fake, png
from .painter import Painter, colour


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(pacing, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(pacing, "_LONGEST_PAUSE", 0.05)


def statuses(outcomes):
    return {line: outcome.status for line, outcome in sorted(outcomes.items())}


FAULTS = ["", "throttled", "broken-once", "rejected", "filtered", "timeout", "reset", "lost"]
EXPECTED = ["done", "done", "done", "failed", "filtered", "unknown", "unknown", "unknown"]


def test_each_fault_has_its_status_and_is_paid_once(bench):
    outcomes = bench.run(*({"prompt": f"a [{fault}]", "n": 2, "seed": 4} for fault in FAULTS))
    assert list(statuses(outcomes).values()) == EXPECTED
    paid = [prompt for prompt, _, _ in bench.bill]
    assert sorted(paid) == sorted(f"a [{fault}]" for fault in FAULTS if fault not in {"rejected", "filtered"})
    for line in (1, 2, 3):
        first, second = outcomes[line].files
        assert limner.Image.read(second).pil().getpixel((3, 3)) == colour(f"a [{FAULTS[line - 1]}]", 5)
        assert limner.read_provenance(limner.Image.read(first))["seed"] == 4
    assert all(outcomes[line].reason for line in range(4, 9))
    assert len(outcomes[8].files) == 1  # one of two came, and is kept


def test_a_resumed_batch_sends_nothing_that_has_ended(bench):
    tasks = [{"prompt": f"a [{fault}]", "n": 2, "seed": 4} for fault in FAULTS]
    bench.run(*tasks)
    bill = bench.bill
    assert list(statuses(bench.run(resume=True)).values()) == EXPECTED
    assert bench.bill == bill


def test_failed_tasks_are_retried_and_unknown_ones_only_with_consent(bench):
    tasks = [{"prompt": "a [rejected]", "seed": 1}, {"prompt": "b [timeout]", "seed": 2}, {"prompt": "c [filtered]"}]
    bench.run(*tasks)
    outcomes = bench.run(retry_failed=True)
    assert list(statuses(outcomes).values()) == ["failed", "unknown", "filtered"]
    assert len(bench.bill) == 1
    bench.run(resend_unknown=True)
    assert [prompt for prompt, _, _ in bench.bill] == ["b [timeout]"] * 2
    assert bench.bill[0] == bench.bill[1]  # the same request, with the same drawn seed


def test_a_drawn_seed_is_kept(bench):
    outcomes = bench.run({"prompt": "b [timeout]"})
    bench.run(resend_unknown=True)
    assert {seed for _, seed, _ in bench.bill} == {outcomes[1].seed}


def test_a_batch_in_the_folder_is_not_started_again_by_mistake(bench, refusal):
    bench.run({"prompt": "a"})
    (problem,) = refusal(lambda: bench.run({"prompt": "a"}))
    assert "holds a batch already" in problem
    assert "--resume" in problem
    assert len(bench.bill) == 1


def test_resume_starts_a_batch_where_there_is_none(bench):
    assert statuses(bench.run({"prompt": "a"}, resume=True)) == {1: "done"}


def test_new_lines_are_added_and_lines_that_are_gone_stay_in_the_index(bench):
    bench.run({"prompt": "a"}, {"prompt": "b"})
    outcomes = bench.run({"prompt": "c"}, {"prompt": "b"}, resume=True)
    assert [prompt for prompt, _, _ in bench.bill][2:] == ["c"]
    assert statuses(outcomes) == {1: "done", 2: "done"}
    assert sorted(row["prompt"] for row in bench.rows()) == ["a", "b", "c"]


def test_another_model_or_setting_is_no_resume(bench, refusal):
    bench.run({"prompt": "a"})
    nearest = bench.model.with_settings(fit="nearest")
    (problem,) = refusal(lambda: bench.run(resume=True, model=nearest))
    assert "for another model or setting" in problem
    assert len(bench.bill) == 1


def test_pictures_are_found_without_a_journal(bench):
    bench.run({"prompt": "a", "seed": 3, "n": 2}, {"prompt": "b", "seed": 4})
    (bench.out / "journal.jsonl").unlink()
    outcomes = bench.run()
    assert statuses(outcomes) == {1: "done", 2: "done"}
    assert len(outcomes[1].files) == 2
    assert len(bench.bill) == 2


def test_another_picture_of_that_name_is_not_taken_for_the_tasks(bench):
    bench.run({"id": "x", "prompt": "a", "seed": 3})
    (bench.out / "journal.jsonl").unlink()
    assert statuses(bench.run({"id": "x", "prompt": "b", "seed": 3})) == {1: "done"}
    assert [prompt for prompt, _, _ in bench.bill] == ["a", "b"]


def test_equal_lines_without_a_seed_are_two_pictures_and_with_one_a_mistake(bench, refusal):
    outcomes = bench.run({"prompt": "a"}, {"prompt": "a"})
    assert outcomes[1].id != outcomes[2].id
    assert len({seed for _, seed, _ in bench.bill}) == 2
    assert {line: outcome.id for line, outcome in bench.run(resume=True).items()} == {
        line: outcome.id for line, outcome in outcomes.items()
    }
    (problem,) = refusal(lambda: bench.run({"prompt": "a", "seed": 1}, {"prompt": "a", "seed": 1}, resume=True))
    assert problem.startswith("line 2: seed=1: is the task of line 1, with the same seed")


def test_what_no_task_can_get_past_stops_the_batch(bench):
    tasks = [{"prompt": f"{number} [denied]"} for number in range(5)]
    with pytest.raises(limner.AuthenticationFailed, match="no key"):
        bench.run(*tasks, in_flight=2)
    assert not bench.bill
    sent = [record for record in bench.journal() if record["event"] == "sent"]
    assert len(sent) <= 2
    unmade = [record for record in bench.journal() if record["event"] == "unmade"]
    assert len(unmade) == len(sent)  # they are as good as never sent
    bench.write(*({"prompt": f"{number} ok"} for number in range(5)))


def test_a_provider_that_is_away_ends_the_batch_with_nothing_lost(bench):
    with pytest.raises(limner.ProviderUnavailable, match="connection refused"):
        bench.run({"prompt": "a [refused]"}, {"prompt": "b [refused]"})
    assert {record["event"] for record in bench.journal()} == {"batch", "planned", "sent", "unmade"}


def test_a_task_that_alone_is_not_taken_has_failed(bench):
    others = ({"prompt": f"{number}"} for number in range(40))
    outcomes = bench.run({"prompt": "a [refused]"}, *others, in_flight=1)
    assert statuses(outcomes)[1] == "failed"
    assert list(statuses(outcomes).values()).count("done") == 40


def test_a_throttled_answer_pauses_the_whole_batch(bench, monkeypatch):
    """Retry-After holds for all: nothing is sent in the meantime."""
    times = []
    send = Painter.send

    def noting(model, request):
        times.append(time.monotonic())
        if len(times) == 1:
            raise limner.RateLimited("slow down", retry_after=0.4)
        return send(model, request)

    monkeypatch.setattr(Painter, "send", noting)
    bench.run(*({"prompt": f"{number}"} for number in range(4)), in_flight=1)
    assert times[1] - times[0] >= 0.4
    assert len(times) == 5


def test_the_budget_counts_what_may_have_been_paid(bench):
    tasks = [{"prompt": f"{number} [timeout]", "n": 2} for number in range(5)]
    with pytest.raises(limner.BatchStopped, match=r"max_pictures=5 is reached: 4 pictures .*; tasks not sent: 3"):
        bench.run(*tasks, max_pictures=5)
    assert len(bench.bill) == 2
    with pytest.raises(limner.BatchStopped, match=r"max_spend=0.35 USD is reached: 0.3 USD count as spent, .* 0.1 USD"):
        bench.run(resume=True, max_spend="0.35USD")
    assert len(bench.bill) == 3
    with pytest.raises(limner.BatchStopped):
        bench.run(resend_unknown=True, max_spend="0.35USD")
    assert len(bench.bill) == 3


def test_lines_that_are_gone_count_as_spent_too(bench):
    bench.run({"prompt": "a"}, {"prompt": "b"})
    with pytest.raises(limner.BatchStopped, match="2 pictures count as made; tasks not sent: 1"):
        bench.run({"prompt": "b"}, {"prompt": "c"}, resume=True, max_pictures=2)
    assert len(bench.bill) == 2


def test_what_killed_processes_left_half_written_is_removed_after_a_while(bench):
    bench.out.mkdir()
    old, new = bench.out / ".0123.part", bench.out / ".4567.part"
    old.touch()
    new.touch()
    os.utime(old, (1, 1))
    bench.run({"prompt": "a"})
    assert (old.exists(), new.exists()) == (False, True)


def test_what_was_not_made_is_not_counted(bench):
    tasks = [{"prompt": "a [rejected]"}, {"prompt": "b [throttled]"}, {"prompt": "c"}]
    assert set(statuses(bench.run(*tasks, max_spend="0.10USD", in_flight=1)).values()) == {"failed", "done"}


def test_an_unknown_price_needs_a_number_of_pictures(bench, refusal, monkeypatch):
    monkeypatch.setattr(Painter, "prices", {})
    (problem,) = refusal(lambda: bench.run({"prompt": "a"}, max_spend="1USD"))
    assert problem.startswith("line 1: max_spend=1 USD: the price is unknown; use max_pictures")
    (problem,) = refusal(lambda: bench.run({"prompt": "a"}, max_spend="a lot"))
    assert "such as 20USD" in problem
    assert statuses(bench.run({"prompt": "a"}, max_pictures=1)) == {1: "done"}


def test_the_rate_is_kept(bench):
    started = time.monotonic()
    bench.run(*({"prompt": f"{number}"} for number in range(16)), rate="10/s", in_flight=16)
    assert time.monotonic() - started >= 0.5  # ten at once, and then six


def test_no_more_are_out_than_asked_for(bench, monkeypatch):
    out, most = 0, []
    lock = threading.Lock()
    send = Painter.send

    def watched(model, request):
        nonlocal out
        with lock:
            out += 1
            most.append(out)
        try:
            return send(model, request)
        finally:
            with lock:
                out -= 1

    monkeypatch.setattr(Painter, "send", watched)
    bench.settings["seconds"] = 0.01
    bench.run(*({"prompt": f"{number}"} for number in range(30)), in_flight=12)
    assert 2 <= max(most) <= 12


def test_a_caller_that_takes_no_more_leaves_nothing_behind(bench):
    bench.write(*({"prompt": f"{number}"} for number in range(50)))
    outcomes = limner.batch(bench.manifest, model=bench.model, out=bench.out, in_flight=4)
    next(outcomes)
    outcomes.close()
    events = [record["event"] for record in bench.journal()]
    assert events.count("sent") == events.count("done") == len(bench.bill) <= 5
    assert len(bench.rows()) == len(bench.bill)
    assert set(statuses(bench.run(resume=True)).values()) == {"done"}
    assert len(bench.bill) == 50


def test_tasks_in_python_need_no_manifest(bench):
    tasks = [limner.Generate(prompt="a"), limner.Generate(prompt="b", n=2)]
    for number, some in enumerate((tasks, iter(tasks), {"first": tasks[0], "second": tasks[1]})):
        outcomes = list(limner.batch(some, model=bench.model, out=bench.folder / str(number)))
        assert sorted((outcome.line, outcome.status, len(outcome.files)) for outcome in outcomes) == [
            (1, "done", 1),
            (2, "done", 2),
        ]
    assert sorted(outcome.id for outcome in outcomes) == ["first", "second"]


def test_abatch_does_the_same(bench):
    bench.write({"prompt": "a"}, {"prompt": "b [filtered]"})

    async def run():
        return [outcome async for outcome in limner.abatch(bench.manifest, model=bench.model, out=bench.out)]

    assert sorted(outcome.status for outcome in asyncio.run(run())) == ["done", "filtered"]


def test_a_cancelled_abatch_waits_for_what_is_out(bench):
    bench.settings["seconds"] = 0.05
    bench.write(*({"prompt": f"{number}"} for number in range(40)))

    async def run():
        async for _ in limner.abatch(bench.manifest, model=bench.model, out=bench.out, in_flight=2):
            pass

    async def cancelled():
        task = asyncio.create_task(run())
        while not bench.bill:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    events = [record["event"] for record in bench.journal()]
    assert 0 < events.count("sent") == events.count("done") < 40
    assert set(statuses(bench.run(resume=True)).values()) == {"done"}
    assert len(bench.bill) == 40


def test_two_drivers_are_not_in_one_folder(bench, refusal):
    bench.write({"prompt": "a"}, {"prompt": "b"})
    first = limner.batch(bench.manifest, model=bench.model, out=bench.out)
    next(first)
    (problem,) = refusal(lambda: bench.run(resume=True))
    assert "another batch uses this folder (process" in problem
    assert len(list(first)) == 1
    assert statuses(bench.run(resume=True)) == {1: "done", 2: "done"}


def test_a_picture_that_changed_is_not_sent(bench):
    """Between planning and sending: what is sent is what was planned, or nothing."""
    for name in "abc":
        (bench.folder / f"{name}.png").write_bytes(png((32, 32), "navy"))
    bench.write(*({"task": "vary", "image": f"{name}.png", "prompt": name} for name in "abc"))
    sent = []
    model = fake(lambda request: sent.append(request) or answer(request))
    outcomes = limner.batch(bench.manifest, model=model, out=bench.out, in_flight=1)
    first = next(outcomes)
    (bench.folder / "b.png").write_bytes(png((32, 32), "red"))
    (bench.folder / "c.png").unlink()
    rest = {outcome.line: outcome for outcome in outcomes}
    assert (first.status, rest[2].status, rest[3].status) == ("done", "failed", "failed")
    assert "changed after it was planned" in rest[2].reason
    assert "c.png" in rest[3].reason
    assert len(sent) == 1


def test_the_executor_may_be_any(bench):
    with ThreadPoolExecutor(3) as executor:
        outcomes = bench.run(*({"prompt": f"{number}"} for number in range(9)), executor=executor)
    assert set(statuses(outcomes).values()) == {"done"}
    assert len(bench.bill) == 9


class Twice:
    """An executor that does every job twice, as a cluster may that takes a worker for dead."""

    def __init__(self, executor):
        self.executor = executor

    def submit(self, work, job):
        first = self.executor.submit(work, job)
        second = self.executor.submit(work, job)
        return second if job.id.startswith(tuple("01234567")) else first


def test_an_executor_that_does_a_job_twice_pays_for_it_once(bench):
    with ThreadPoolExecutor(4) as executor:
        outcomes = bench.run(*({"prompt": f"{number}"} for number in range(30)), executor=Twice(executor))
    assert len(bench.bill) == 30
    assert set(statuses(outcomes).values()) <= {"done", "unknown"}
    assert set(statuses(bench.run(resume=True)).values()) == {"done"}
    assert len(bench.bill) == 30


class Broken:
    """An executor whose workers die before or after they did what they were told."""

    def __init__(self, executor):
        self.executor, self.numbers = executor, itertools.count()

    def submit(self, work, job):
        def lost():
            if number % 3 == 1:
                work(job)
            raise OSError("the worker was killed")

        number = next(self.numbers)
        return self.executor.submit(work, job) if number % 3 == 0 else self.executor.submit(lost)


def test_a_worker_that_is_lost_has_claimed_its_task_or_not(bench):
    """What was claimed is looked for; what was not is done again."""
    tasks = [{"prompt": f"{number}"} for number in range(30)]
    with ThreadPoolExecutor(4) as executor:
        outcomes = bench.run(*tasks, executor=Broken(executor))
    assert len(bench.bill) == 30
    assert set(statuses(outcomes).values()) == {"done"}


class Silent:
    """An executor that does what it is told, and never says so of every third job."""

    def __init__(self, executor):
        self.executor, self.numbers = executor, itertools.count()

    def submit(self, work, job):
        done = self.executor.submit(work, job)
        return Future() if next(self.numbers) % 3 == 0 else done


def test_what_an_executor_does_not_report_is_read_beside_the_claim(bench):
    """Dask was seen to lose a result that had not been gathered when its worker died."""
    with ThreadPoolExecutor(4) as executor:
        outcomes = bench.run(*({"prompt": f"{number}"} for number in range(6)), executor=Silent(executor))
    assert set(statuses(outcomes).values()) == {"done"}
    assert len(bench.bill) == 6


def test_a_task_that_takes_longer_than_it_may_is_looked_for(bench, monkeypatch):
    """The worker is gone, and nobody noticed: nothing was claimed, so it is sent again."""
    monkeypatch.setattr("limner.batches.driver._LATE_SECONDS", 0.1)
    bench.settings["timeout"] = 0.1

    class Deaf:
        times = 0

        def submit(self, work, job):
            self.times += 1
            return Future() if self.times == 1 else executor.submit(work, job)

    with ThreadPoolExecutor(1) as executor:
        assert statuses(bench.run({"prompt": "a"}, executor=Deaf())) == {1: "done"}
    assert [record.get("attempt") for record in bench.journal() if record["event"] == "sent"] == [1, 2]
    assert len(bench.bill) == 1
