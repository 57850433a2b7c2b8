"""A seventh set: faults that show in a job that ended without a picture, or in the headers of an answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from limner import Picture, ProviderError, ProviderUnavailable, Request, RequestRejected, Response, Task
from right_others import Kiln
from unusual_plugins import FactsInHeaders, RawBytes


class BillsWhatTheSubmissionSays(Kiln):
    def usage(self, state: Any) -> dict[str, float]:
        return super().usage({name: value for name, value in state.items() if name in {"id", "status"}})


class FailsInItsOwnWords(Kiln):
    def ended(self, status: str, reason: str) -> ProviderError:
        return super().ended(status, reason if status == "blocked" else "the job failed")


class AsksOnAboutJobsThatFailed(Kiln):
    def polled(self, job: str, deadline: float) -> Any:
        state = super().polled(job, deadline)
        return {"status": "working"} if state.get("status") == "failed" else state


class BlockedJobsAreRejected(Kiln):
    def ended(self, status: str, reason: str) -> ProviderError:
        return RequestRejected(reason) if status == "blocked" else super().ended(status, reason)


class SubmitsAgainWhatFailed(Kiln):
    def send(self, request: Request) -> Response:
        try:
            return super().send(request)
        except ProviderUnavailable as error:
            if "connection" in error.message or "API" in error.message:
                raise
            return super().send(request)


class ReturnsWhatIsBlurred(FactsInHeaders):
    def decode(self, task: Task, response: Response) -> Sequence[Picture]:
        return RawBytes.decode(self, task, response)
