"""What a provider keeps and knows by itself, within the life of a test: files, batches, models."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from itertools import count
from typing import Any
from urllib.parse import parse_qs

from ..core.model import Exchange, Problem, Reply
from ..core.paging import page
from ..core.prompt import Answer, Delta
from . import batches

Record = dict[str, Any]

_LIMITS = {"files": 10_000, "batches": 20}
"""How many a list holds when the request does not say."""

_BY_ITSELF = ("moderations", "messages.count_tokens", "responses.input_tokens", "ollama.version", "ollama.show")
"""What a provider answers without a model."""

_MODELS = ("models", "models.retrieve", "ollama.tags", "ollama.ps")


class Provider:
    """A source of answers that need no model. What is uploaded stays until it is deleted."""

    def __init__(self, models: Callable[[], Iterable[str]], ask: batches.Ask) -> None:
        self._models = models
        self._ask = ask
        """Answers a request of a batch as if it had been sent by itself."""
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._files: dict[str, Record] = {}
        self._contents: dict[str, bytes] = {}
        self._batches: dict[str, Record] = {}
        self._handlers: dict[str, Callable[[Exchange], Reply | None]] = {
            "files.create": self._upload,
            "files": lambda exchange: self._list(exchange, "files", self._files),
            "files.retrieve": lambda exchange: _shown(exchange, self._files),
            "files.content": self._content,
            "files.delete": self._delete,
            "batches.create": self._begin,
            "batches": lambda exchange: self._list(exchange, "batches", self._batches),
            "batches.retrieve": self._batch,
            "batches.cancel": self._cancel,
            **dict.fromkeys(_BY_ITSELF, _told),
            **dict.fromkeys(_MODELS, self._offered),
        }

    def answer(self, exchange: Exchange) -> Reply | None:
        """The answer, or None when it needs a model, or is about what nobody has uploaded."""
        handler = self._handlers.get(exchange.operation)
        return handler(exchange) if handler and not _is_anthropics(exchange) else None

    def _made(self, kind: str) -> str:
        """An id that nothing has yet, the same in every run."""
        return f"{kind}{next(self._numbers):024d}"

    # --- files ---

    def _upload(self, exchange: Exchange) -> Reply:
        parts = [part for message in exchange.prompt.messages for part in message.parts]
        if not parts or not exchange.prompt.options.get("purpose"):
            missing = "purpose" if parts else "file"
            return exchange.dialect.write_error(_required(missing))
        return self.store(exchange, parts[0].content)

    def store(self, exchange: Exchange, content: bytes, **more: Any) -> Reply:
        """Keep a file, and tell of it."""
        told = {"id": self._made("file-"), "created_at": int(exchange.started), "bytes": len(content), **more}
        reply = _told(exchange, told)
        with self._lock:
            self._files[told["id"]] = reply.json()
            self._contents[told["id"]] = content
        return reply

    def _content(self, exchange: Exchange) -> Reply | None:
        content = self._contents.get(exchange.prompt.id)
        if content is None:
            return None
        return exchange.dialect.write_reply(exchange.prompt, Answer((Delta("file", data=content),)))

    def _delete(self, exchange: Exchange) -> Reply | None:
        with self._lock:
            self._contents.pop(exchange.prompt.id, None)
            found = self._files.pop(exchange.prompt.id, None)
        return _told(exchange) if found else None

    def _list(self, exchange: Exchange, kind: str, records: dict[str, Record]) -> Reply:
        asked = parse_qs(exchange.request.query)
        purpose = (asked.get("purpose") or [""])[0]
        with self._lock:
            found = [record for record in records.values() if purpose in ("", record.get("purpose"))]
        values, more = page(found, asked, _LIMITS[kind])
        return _told(exchange, {"data": values, "has_more": more})

    # --- batches ---

    def _begin(self, exchange: Exchange) -> Reply:
        file = exchange.prompt.options.get("input_file_id")
        if not isinstance(file, str) or file not in self._contents:
            why = f"No such File object: {file}" if file else "Missing required parameter: 'input_file_id'."
            return exchange.dialect.write_error(Problem(400, why, param="input_file_id"))
        reply = _told(exchange, {"id": self._made("batch_"), "created_at": int(exchange.started)})
        record = reply.json()
        with self._lock:
            self._batches[record["id"]] = record
        return reply

    def _batch(self, exchange: Exchange) -> Reply | None:
        """A batch is done when it is looked at for the first time."""
        with self._lock:
            record = self._batches.get(exchange.prompt.id)
            waits = record is not None and record["status"] == "validating"
            if record is not None and waits:
                record["status"] = "in_progress"
        if record is not None and waits:
            self._run(exchange, record)
        return _shown(exchange, self._batches)

    def _run(self, exchange: Exchange, record: Record) -> None:
        lines = self._contents.get(record["input_file_id"], b"")
        result = batches.run(lines, exchange.request, self._ask)
        now = int(exchange.started)
        record |= {"status": "completed", "in_progress_at": now, "finalizing_at": now, "completed_at": now}
        record["request_counts"] = result.counts
        for field, content in (("output_file_id", result.output), ("error_file_id", result.errors)):
            record[field] = self._keep_output(record, content, now) if content else None

    def _keep_output(self, record: Record, content: bytes, now: int) -> str:
        id = self._made("file-")
        name = f"{record['id']}_output.jsonl"
        fields = {"purpose": "batch_output", "filename": name, "bytes": len(content), "created_at": now}
        with self._lock:
            self._files[id] = {"object": "file", "id": id, **fields, "status": "processed"}
            self._contents[id] = content
        return id

    def _cancel(self, exchange: Exchange) -> Reply | None:
        now = int(exchange.started)
        with self._lock:
            record = self._batches.get(exchange.prompt.id)
            if record is not None and record["status"] == "validating":
                record |= {"status": "cancelled", "cancelling_at": now, "cancelled_at": now}
        return _shown(exchange, self._batches)

    # --- models ---

    def _offered(self, exchange: Exchange) -> Reply:
        """The models that there are; one that is asked for by its name is one of them."""
        asked = [exchange.prompt.model] if exchange.prompt.model else []
        names = dict.fromkeys([*self._models(), *asked])
        deltas = tuple(Delta("model", name) for name in names)
        return exchange.dialect.write_reply(exchange.prompt, Answer(deltas))


def _is_anthropics(exchange: Exchange) -> bool:
    """Anthropic has files and models at the same paths, in shapes of its own, which are not played."""
    ours = exchange.operation.startswith("messages.")
    return exchange.request.header("anthropic-version") is not None and not ours


def _told(exchange: Exchange, *told: Record) -> Reply:
    return exchange.dialect.write_reply(exchange.prompt, Answer(tuple(Delta("item", data=each) for each in told)))


def _shown(exchange: Exchange, records: dict[str, Record]) -> Reply | None:
    """What is kept under the id that is asked for."""
    record = records.get(exchange.prompt.id)
    return _told(exchange, record) if record else None


def _required(name: str) -> Problem:
    return Problem(400, f"Missing required parameter: '{name}'.", "missing_required_parameter", param=name)
