"""One call of a model: its requests to the provider, within one deadline."""

from __future__ import annotations

import os
import threading
from collections.abc import Container, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import SplitResult

import attrs
import limner

from limner_http.addresses import parts_of
from limner_http.attempts import Failed
from limner_http.deadlines import Allowance, Deadline
from limner_http.pools import pool_for
from limner_http.sse import Event, events

if TYPE_CHECKING:
    import httpcore

    from limner_http.services import Service
    from limner_http.settings import HttpSettings

MAX_ERROR_BYTES = 64_000
"""Of an error's body so much is read; the rest is cut off."""

_HEAD_BYTES = 1_000_000
_ASIDE_SECONDS = 5.0


@attrs.frozen
class Answer:
    """An answer that is no error.

    Attributes:
        status: of HTTP.
        headers: by name in lower case.
        body: the whole body; empty where it was read as events.
        request_id: the provider's id of the request.
        attempts: how often the request was sent.
    """

    status: int
    headers: Mapping[str, str] = attrs.field(repr=False)
    body: bytes = attrs.field(repr=lambda body: f"<{len(body)} bytes>")
    request_id: str | None = None
    attempts: int = 1

    @property
    def content_type(self) -> str:
        """The media type in lower case, without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip().lower()

    def response(self, **more: Any) -> limner.Response:
        """Return what ``send`` returns; ``more`` sets further fields of :class:`limner.Response`."""
        made = limner.Response(
            self.body, request_id=self.request_id, attempts=self.attempts, content_type=self.headers.get("content-type", "")
        )
        return attrs.evolve(made, **more)


class Stream:
    """An answer that is still coming.

    Attributes:
        answer: its head; the body is empty.
    """

    def __init__(self, answer: Answer, response: httpcore.Response, call: Call, max_bytes: int) -> None:
        self.answer = answer
        self._response, self._call, self._most = response, call, max_bytes

    def events(self) -> Iterator[Event]:
        """Read server-sent events as they come.

        Raises:
            ProviderError: of the class that fits.
        """
        with self._call.failing():
            yield from events(self._chunks())

    def read(self) -> Answer:
        """Read the whole body.

        Raises:
            ProviderError: of the class that fits.
        """
        with self._call.failing():
            return self.read_attempt()

    def read_attempt(self) -> Answer:
        """Read the whole body.

        Raises:
            Failed: for the one who may try again.
        """
        return attrs.evolve(self.answer, body=b"".join(self._chunks()))

    def _chunks(self) -> Iterator[bytes]:
        size = 0
        with self._call.translating(self.answer.request_id):
            for chunk in self._response.iter_stream():
                size += len(chunk)
                if size > self._most:
                    raise limner.BadResponse(f"the answer has over {self._most:,} bytes; the call may have been billed")
                yield chunk


class Call:
    """One call: all its requests share a deadline.

    Args:
        service: the provider.
        settings: how to reach it.
        model_id: for errors.
        deadline: by default, it starts now and ends after the setting ``timeout``.

    Attributes:
        deadline: what is left of the time.
        attempts: how many requests were sent so far.
    """

    def __init__(
        self, service: Service, settings: HttpSettings, model_id: str = "", *, deadline: Deadline | None = None
    ) -> None:
        self.service, self.settings, self.model_id = service, settings, model_id
        self.deadline = Deadline(settings.timeout) if deadline is None else deadline
        self.attempts = 0
        self._accepted = False  # whether the provider took a request that may cost something
        self._key = key_of(service, settings)

    @property
    def base_url(self) -> str:
        """The address that paths are added to, with a slash at its end.

        Raises:
            TaskRefused: the service has none of its own, and none is set.
        """
        return base_url_of(self.service, self.settings)

    def url(self, path: str) -> str:
        """Return the whole URL of a path below the base URL; one that begins with a slash is below the base URL's host."""
        if path.startswith(("http://", "https://")):
            return path
        if path.startswith("/"):
            parts = parts_of(self.base_url)
            return f"{parts.scheme}://{parts.netloc}{path}"
        return self.base_url + path

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no error may show."""
        values = [self._key or "", *self.settings.headers.values()]
        return tuple(sorted((value for value in values if len(value) > 3), key=len, reverse=True))

    def aside(self, seconds: float = _ASIDE_SECONDS) -> Call:
        """Return a call with a deadline of its own that the run's end does not end, such as for a cancel request."""
        brief = Deadline(min(seconds, self.settings.timeout), threading.Event())
        return Call(self.service, self.settings, self.model_id, deadline=brief)

    # ------------------------------------------------------------------ requests

    def post(self, request: limner.Request, **more: Any) -> Answer:
        """Send a model's request; ``more`` as in :meth:`request`.

        Raises:
            ProviderError: of the class that fits.
        """
        return self.request(
            "POST", request.path, body=request.body, content_type=request.content_type, headers=request.headers, **more
        )

    def get(self, path: str, **more: Any) -> Answer:
        """Get something from the API, which is repeated also where it failed half-way; ``more`` as in :meth:`request`.

        Raises:
            ProviderError: of the class that fits.
        """
        return self.request("GET", path, repeatable=True, **more)

    def request(self, method: str, path: str, **more: Any) -> Answer:
        """Send a request and read its answer.

        Args:
            method: of HTTP.
            path: below the base URL, or a whole URL, which gets the key too: check it first.
            **more: as in :meth:`stream`.

        Raises:
            ProviderError: of the class that fits.
        """
        return self._attempted(method, path, read=True, **more)[0]

    @contextmanager
    def stream(self, method: str, path: str, **more: Any) -> Iterator[Stream]:
        """Send a request, and read its answer as it comes.

        Args:
            method: of HTTP.
            path: as in :meth:`request`.
            **more: ``body`` (bytes) and its ``content_type``; further ``headers``; ``max_bytes`` of the answer;
                ``repeatable`` where it does no harm to send it twice; ``with_key`` (else neither key nor the setting
                ``headers`` are sent); ``public_host``, the host that must have a public address; ``redirects``, statuses,
                such as those of redirects, that are answers rather than errors.

        Raises:
            ProviderError: of the class that fits.
        """
        _, stream, response = self._attempted(method, path, read=False, **more)
        try:
            with self.failing():
                yield stream
        finally:
            response.close()

    def _attempted(
        self, method: str, path: str, *, read: bool, repeatable: bool = False, **more: Any
    ) -> tuple[Answer, Stream, httpcore.Response]:
        before = self.attempts

        def attempt() -> tuple[Answer, Stream, httpcore.Response]:
            self.attempts += 1
            return self._once(method, path, read=read, attempts=self.attempts - before, **more)

        with self.failing():
            try:
                made = attempt()
            except Failed as failed:
                from limner_http.retries import try_again

                made = try_again(attempt, failed, self.deadline, self.settings.max_attempts, repeatable=repeatable)
            self._accepted = self._accepted or method != "GET"
            return made

    def _once(
        self,
        method: str,
        path: str,
        *,
        read: bool,
        attempts: int,
        body: bytes = b"",
        content_type: str = "",
        headers: Mapping[str, str] | None = None,
        max_bytes: int | None = None,
        with_key: bool = True,
        public_host: str | None = None,
        redirects: Container[int] = (),
    ) -> tuple[Answer, Stream, httpcore.Response]:
        import httpcore

        most = self.service.max_bytes if max_bytes is None else max_bytes
        url = self.url(path)
        parts = parts_of(url)
        allowance = Allowance(self.deadline, 2 * most + _HEAD_BYTES, public_host)
        request = httpcore.Request(
            method,
            url,
            headers=self._headers(parts, method, body, content_type, headers or {}, with_key=with_key),
            content=body,
            extensions={"timeout": dict.fromkeys(("connect", "read", "write"), allowance)},
        )
        self.deadline.seconds()
        pool = pool_for(parts, self.settings.proxy, self.settings.max_in_flight)
        response: httpcore.Response | None = None
        try:
            response = pool.handle_request(request)
            answer = self._head(response, attempts)
            if answer.status >= 300 and answer.status not in redirects:
                self.refuse(answer, _start_of(response))
            stream = Stream(answer, response, self, most)
            if read:
                answer = stream.read_attempt()
                response.close()
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError, httpcore.ProxyError) as error:
            raise self._translated(error) from self._cause(error)
        except BaseException:
            if response is not None:
                response.close()
            raise
        return answer, stream, response

    # ------------------------------------------------------------------ heads and errors

    def _headers(
        self,
        parts: SplitResult,
        method: str,
        body: bytes,
        content_type: str,
        headers: Mapping[str, str],
        *,
        with_key: bool,
    ) -> list[tuple[str, str]]:
        made = {"host": parts.netloc.rpartition("@")[2], "user-agent": f"limner/{limner.__version__}", "accept": "*/*"}
        made["accept-encoding"] = "identity"  # pictures do not get smaller, and a packed answer can be a bomb
        if body or method in {"POST", "PUT", "PATCH"}:
            made["content-length"] = str(len(body))
        if content_type:
            made["content-type"] = content_type
        made |= {name.lower(): value for name, value in headers.items()}
        if with_key and self._key is not None:
            made[self.service.key_header.lower()] = self.service.key_format.format(self._key)
        if with_key:
            made |= {name.lower(): value for name, value in self.settings.headers.items()}
        return list(made.items())

    def _head(self, response: httpcore.Response, attempts: int) -> Answer:
        headers = {name.decode("ascii").lower(): value.decode("latin-1") for name, value in response.headers}
        if headers.get("content-encoding", "identity").lower() != "identity":
            raise limner.BadResponse("the answer is compressed, which limner did not request; the call may have been billed")
        found = (headers[name] for name in self.service.request_id_headers if headers.get(name))
        request_id = next(found, None)
        if request_id is not None and not (request_id.isascii() and request_id.isprintable() and len(request_id) <= 200):
            request_id = None
        return Answer(response.status, headers, b"", request_id, attempts)

    def refuse(self, answer: Answer, content: bytes) -> NoReturn:
        """Raise the error that a content says, such as the body of an answer or an event of a stream.

        Raises:
            Failed: always; it becomes an error of limner's tree on its way out of :meth:`request` and :meth:`stream`.
        """
        from limner_http.error_translation import answer_failed

        failed = answer_failed(self.service, answer.status, answer.headers, content, self.secrets)
        failed.error.request_ids = tuple(filter(None, [answer.request_id]))
        raise failed

    @contextmanager
    def translating(self, request_id: str | None = None) -> Iterator[None]:
        """Turn errors of httpcore and limner's own, while an answer is read, into errors that name model and request."""
        import httpcore

        try:
            yield
        except (httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError) as error:
            failed = self._translated(error)
            failed.error.request_ids = tuple(filter(None, [request_id]))
            raise failed from self._cause(error)
        except limner.ProviderError as error:
            error.request_ids = error.request_ids or tuple(filter(None, [request_id]))
            raise

    def _translated(self, error: Exception) -> Failed:
        from limner_http.error_translation import connection_failed

        return connection_failed(self.service, error, self.secrets)

    def _cause(self, error: Exception) -> Exception | None:
        """Return what may be chained."""
        from limner_http.error_translation import tells_secrets

        return None if tells_secrets(error, self.secrets) else error

    @contextmanager
    def failing(self) -> Iterator[None]:
        """Let limner's own errors out, with the model's name and how often a request was sent."""
        before = self.attempts
        try:
            yield
        except Failed as failed:
            error, cause = failed.error, failed.__cause__
            made = self.attempts - before
            error.message += f" ({made} attempts)" if made > 1 else ""
            error.model = error.model or self.model_id or None
            error.may_be_billed = self._accepted or (error.may_be_billed and not failed.unmade)
            raise error from cause


def key_of(service: Service, settings: HttpSettings) -> str | None:
    """Find the key: the setting's, else that of the environment, else the stored one.

    Raises:
        AuthenticationFailed: there is none and one is needed, the one found is no key, or the key store is damaged.
    """
    given: str | None = getattr(settings, service.key_setting)
    if given is not None:
        return given
    found = found_key(service)
    if found is None:
        if service.key_needed and settings.base_url is None and not _url_of_environment(service):
            ways = [f"set {' or '.join(service.key_variables)}"] if service.key_variables else []
            ways += [f"run 'limner keys set {service.key_name}'"] if service.key_name else []
            advice = ", or ".join(ways) or f"give the setting {service.key_setting}"
            raise limner.AuthenticationFailed(f"there is no key for {service.name}; {advice}")
        return None
    if not (found.value.isascii() and found.value.isprintable()):
        raise limner.AuthenticationFailed(f"the key {found.source} is not printable ASCII text")
    return found.value


def found_key(service: Service) -> limner.FoundKey | None:
    """Find the key of the environment, else the stored one.

    Raises:
        AuthenticationFailed: the key store is damaged.
    """
    try:
        return service.key.find()
    except limner.TaskRefused as error:
        raise limner.AuthenticationFailed("; ".join(map(str, error.problems))) from error


def base_url_of(service: Service, settings: HttpSettings) -> str:
    """Return the address that paths are added to, with a slash at its end.

    Raises:
        TaskRefused: the service has none of its own, and none is set; or that of the environment is no URL.
    """
    found = settings.base_url or _url_of_environment(service) or service.base_url
    if not found:
        limit = f"is needed: the address of the {service.name} server, such as http://127.0.0.1:8000/v1"
        raise limner.TaskRefused([limner.Problem("setting base_url", "", limit)])
    return found.rstrip("/") + "/"


def _start_of(response: httpcore.Response) -> bytes:
    """Read the start of an error's body; the connection is closed where there is more."""
    content = bytearray()
    try:
        for chunk in response.iter_stream():
            content += chunk
            if len(content) > MAX_ERROR_BYTES:
                break
    finally:
        response.close()
    return bytes(content[:MAX_ERROR_BYTES])


def _url_of_environment(service: Service) -> str:
    """Return the address that the environment names for a service, empty where it names none.

    Raises:
        TaskRefused: it is no URL.
    """
    found = os.environ.get(service.url_variable, "").strip() if service.url_variable else ""
    if not found:
        return ""
    try:
        parts = parts_of(found)
    except ValueError as error:
        raise limner.TaskRefused([limner.Problem(f"environment variable {service.url_variable}", "", str(error))]) from None
    if "@" in parts.netloc or parts.query or parts.fragment:
        limit = "must be a URL without user, query or fragment"
        raise limner.TaskRefused([limner.Problem(f"environment variable {service.url_variable}", "", limit)])
    return found.rstrip("/") + service.url_suffix
