"""The log of runs: the user's runs in an SQLite file, after ``limner logs on``.

It contains prompts, but no pictures, which stay in their files, and no settings or keys.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import sqlite3
import time
import warnings
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from limner.documents import fingerprint
from limner.errors import LimnerError, Problem, TaskRefused
from limner.folders import create_private, data_folder
from limner.hookspecs import hookimpl
from limner.results import Origin, Picture, Result, on_saved

if TYPE_CHECKING:
    from limner.interface import ModelInterface
    from limner.tasks import Task

_WAIT_SECONDS = 30.0
"""Seconds to wait for another process that is writing."""

_VERSION = 1

_TABLES = """
CREATE TABLE IF NOT EXISTS runs (
    id INTEGER PRIMARY KEY,
    started TEXT NOT NULL,
    kind TEXT NOT NULL,
    model TEXT NOT NULL,
    model_id TEXT NOT NULL,
    fit TEXT NOT NULL,
    prompt TEXT,
    task TEXT NOT NULL,
    account TEXT NOT NULL,
    seconds REAL NOT NULL,
    cost TEXT,
    usage TEXT NOT NULL,
    request_ids TEXT NOT NULL,
    warnings TEXT NOT NULL,
    outcome TEXT NOT NULL,
    error TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS pictures (
    run INTEGER NOT NULL REFERENCES runs (id),
    position INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    seed INTEGER,
    width INTEGER,
    height INTEGER,
    sha256 TEXT,
    file TEXT,
    PRIMARY KEY (run, position)
);
CREATE INDEX IF NOT EXISTS pictures_by_content ON pictures (sha256);
"""

_JSON_COLUMNS = ("task", "account", "cost", "usage", "request_ids", "warnings")


def log_file() -> Path:
    """Return the path of the log, which may not exist."""
    return data_folder() / "logs.db"


class Recorder:
    """The plugin that writes the log; registered only if enabled in the configuration."""

    def __init__(self) -> None:
        if _note_file not in on_saved:
            on_saved.append(_note_file)

    @hookimpl(wrapper=True, tryfirst=True)
    def limner_run(self, model: ModelInterface, task: Task) -> Generator[None, Result, Result]:
        """Record the run; pass on its result or error unchanged."""
        started = datetime.datetime.now(datetime.UTC)
        clock = time.perf_counter()
        try:
            result = yield
        except BaseException as error:
            with _never_failing():
                _record(model, task, started, time.perf_counter() - clock, getattr(error, "result", None), error)
            raise
        with _never_failing():
            _record(model, task, started, result.seconds, result, None)
        return result


@contextlib.contextmanager
def _never_failing() -> Iterator[None]:
    """Warn if a run cannot be logged, instead of losing its pictures, which are paid for."""
    try:
        yield
    except Exception as error:
        with contextlib.suppress(Warning):  # if warnings are errors
            warnings.warn(f"the run is not in the log {log_file()}: {error}", stacklevel=2)


def _record(
    model: ModelInterface,
    task: Task,
    started: datetime.datetime,
    seconds: float,
    result: Result | None,
    error: BaseException | None,
) -> None:
    sent = task if result is None else result.task
    prompt = getattr(task, "prompt", None)
    row = {
        "started": started.isoformat(timespec="milliseconds"),
        "kind": task.kind,
        "model": model.id,
        "model_id": model.model_id,
        "fit": model.settings.fit,
        "prompt": prompt if prompt is None or isinstance(prompt, str) else "; ".join(part.text for part in prompt),
        "task": json.dumps(_repeatable(sent, result)),
        "account": json.dumps([] if result is None else [fingerprint(entry) for entry in result.account]),
        "seconds": round(seconds, 3),
        "cost": None if error is not None else json.dumps(_cost(model, sent)),
        "usage": json.dumps({} if result is None else dict(result.usage)),
        "request_ids": json.dumps(_request_ids(result, error)),
        "warnings": json.dumps([] if result is None else list(result.warnings)),
        "outcome": "ok" if error is None else type(error).__name__,
        "error": str(error) if isinstance(error, LimnerError) else "",
    }
    pictures = () if result is None else result.pictures
    with connected(write=True) as log:
        names = ", ".join(row)
        places = ", ".join(f":{name}" for name in row)
        run = log.execute(f"INSERT INTO runs ({names}) VALUES ({places})", row).lastrowid  # noqa: S608 - own names
        rows = [(run, position, *_picture_row(picture)) for position, picture in enumerate(pictures)]
        log.executemany("INSERT INTO pictures VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL)", rows)


def _repeatable(sent: Task, result: Result | None) -> Any:
    """The task that reproduces the pictures, as in a picture's provenance; input pictures are SHA-256 hashes."""
    origins = [picture.origin for picture in result.pictures] if result is not None else []
    origin = next((origin for origin in origins if isinstance(origin, Origin)), None)
    return fingerprint(sent if origin is None else origin.fitted.repeatable())


def _cost(model: ModelInterface, task: Task) -> dict[str, Any] | None:
    with contextlib.suppress(Exception):  # such as an invalid price file
        cost = model.cost_of(task)
        if cost is not None:
            return {"low": float(cost.low), "high": float(cost.high), "currency": cost.currency}
    return None


def _request_ids(result: Result | None, error: BaseException | None) -> list[str]:
    found = getattr(error, "request_ids", ()) or (() if result is None else result.request_ids)
    return list(found)


def _picture_row(picture: Picture) -> tuple[Any, ...]:
    image = picture.image
    size = (None, None) if image is None else image.size
    return picture.outcome, picture.reason, picture.seed, *size, None if image is None else image.sha256


def _note_file(picture: Picture, path: Path) -> None:
    """Record where a logged picture was last saved."""
    if picture.image is None:
        return
    with _never_failing(), connected(write=True) as log:
        log.execute(
            "UPDATE pictures SET file = ? WHERE rowid = (SELECT max(rowid) FROM pictures WHERE sha256 = ?)",
            (str(path.absolute()), picture.image.sha256),
        )


@contextlib.contextmanager
def connected(*, write: bool = False) -> Iterator[sqlite3.Connection]:
    """Open the log for one transaction.

    Several processes can do so at the same time; each waits for the others. The journal mode is SQLite's default, which
    also works on network file systems.

    Raises:
        TaskRefused: the file is not a log, or cannot be opened.
    """
    path = log_file()
    try:
        create_private(path)
        with contextlib.closing(sqlite3.connect(path, timeout=_WAIT_SECONDS, isolation_level=None)) as log:
            log.row_factory = sqlite3.Row
            _make_tables(log)
            log.execute("BEGIN IMMEDIATE" if write else "BEGIN")
            yield log
            log.execute("COMMIT")
    except (sqlite3.Error, OSError) as error:
        raise TaskRefused([Problem("log", str(path), f"cannot be used: {error}")]) from error


def _make_tables(log: sqlite3.Connection) -> None:
    (version,) = log.execute("PRAGMA user_version").fetchone()
    if version > _VERSION:
        raise sqlite3.DatabaseError(f"it was written by a newer limner (version {version} of its tables)")
    if version < _VERSION:
        log.executescript(f"BEGIN IMMEDIATE; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;")


def entries(*, limit: int, text: str = "", model: str = "") -> list[dict[str, Any]]:
    """Return the latest runs, newest first.

    Args:
        limit: the maximum number of runs.
        text: only runs with this text in prompt, model, error or a file name, ignoring case.
        model: only runs of this model, by its id.

    Raises:
        TaskRefused: the log cannot be read.
    """
    if not log_file().exists():
        return []
    escaped = "%" + "".join(f"\\{char}" if char in "%_\\" else char for char in text) + "%"
    query = """
        SELECT * FROM runs
        WHERE (:model = '' OR model = :model)
          AND (:text = '%%' OR prompt LIKE :text ESCAPE '\\' OR model LIKE :text ESCAPE '\\'
               OR error LIKE :text ESCAPE '\\' OR outcome LIKE :text ESCAPE '\\'
               OR EXISTS (SELECT 1 FROM pictures WHERE run = id AND file LIKE :text ESCAPE '\\'))
        ORDER BY id DESC LIMIT :limit
    """
    with connected() as log:
        rows = log.execute(query, {"model": model, "text": escaped, "limit": limit}).fetchall()
        return [_document(log, row) for row in rows]


def entry(number: int) -> dict[str, Any] | None:
    """Return one run; ``None`` if there is no run with this number.

    Raises:
        TaskRefused: the log cannot be read.
    """
    if not log_file().exists():
        return None
    with connected() as log:
        row = log.execute("SELECT * FROM runs WHERE id = ?", (number,)).fetchone()
        return None if row is None else _document(log, row)


def _document(log: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    columns: Sequence[str] = row.keys()
    found = {name: json.loads(row[name] or "null") if name in _JSON_COLUMNS else row[name] for name in columns}
    pictures = log.execute("SELECT * FROM pictures WHERE run = ? ORDER BY position", (row["id"],)).fetchall()
    found["pictures"] = [{name: picture[name] for name in picture.keys() if name != "run"} for picture in pictures]  # noqa: SIM118
    return found
