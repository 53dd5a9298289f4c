"""What cassettes hold, in numbers: tokens and models, sizes and ages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ..core.model import Exchange, Request
from ..core.prompt import Usage
from ..errors import CassetteError
from . import library
from .cassette import Cassette, Interaction

Read = Callable[[Request], Exchange]


@dataclass(slots=True)
class Tokens:
    """Tokens as the providers counted them; what they did not count is not in it."""

    input: int = 0
    output: int = 0
    total: int = 0
    cached: int = 0
    """Of the input: read from a provider's prompt cache."""
    reasoning: int = 0
    """Of the output: spent on reasoning."""

    def add(self, usage: Usage) -> None:
        self.input += usage.input or 0
        self.output += usage.output or 0
        self.total += usage.total or (usage.input or 0) + (usage.output or 0)
        self.cached += usage.cached or 0
        self.reasoning += usage.reasoning or 0


@dataclass(slots=True)
class Count:
    """The interactions of one model, or all."""

    interactions: int = 0
    streamed: int = 0
    uncounted: int = 0
    """Interactions whose answer does not say how many tokens it took."""
    tokens: Tokens = field(default_factory=Tokens)

    def add(self, exchange: Exchange, usage: Usage | None) -> None:
        self.interactions += 1
        self.streamed += exchange.prompt.stream
        if usage is None:
            self.uncounted += 1
        else:
            self.tokens.add(usage)


@dataclass(slots=True)
class Statistics:
    """Everything that is counted."""

    cassettes: int = 0
    total: Count = field(default_factory=Count)
    models: dict[str, Count] = field(default_factory=dict)
    """Model -> its interactions; '' stands for requests that name none."""
    operations: Counter[str] = field(default_factory=Counter)
    upstreams: Counter[str] = field(default_factory=Counter)
    """Where the answers came from; '' stands for recordings that do not say."""
    bytes: int = 0
    """Of the cassettes' files."""
    blobs: int = 0
    """Files that hold large bodies."""
    blob_bytes: int = 0
    recorded: list[str] = field(default_factory=list)
    """The times of recording, as the cassettes say them."""
    sizes: list[tuple[int, Path]] = field(default_factory=list)
    """Each cassette's bytes and path."""

    @property
    def oldest(self) -> str:
        return min(self.recorded, default="")

    @property
    def newest(self) -> str:
        return max(self.recorded, default="")

    def biggest(self, count: int) -> list[tuple[int, Path]]:
        return sorted(self.sizes, key=lambda size: (-size[0], size[1]))[:count]


def measure(cassettes: Iterable[Cassette], read: Read, on_error: Callable[[CassetteError], object]) -> Statistics:
    """Count everything in these cassettes; interactions that cannot be read are told and passed over."""
    found = Statistics()
    blobs: set[Path] = set()
    for cassette in cassettes:
        _add_file(found, cassette)
        blobs.update(_blobs_near(cassette.path))
        for interaction in cassette.interactions:
            try:
                _add(found, interaction, read)
            except CassetteError as error:
                on_error(error)
    found.blobs, found.blob_bytes = len(blobs), sum(path.stat().st_size for path in blobs)
    return found


def _add_file(found: Statistics, cassette: Cassette) -> None:
    size = cassette.path.stat().st_size
    found.cassettes += 1
    found.bytes += size
    found.sizes.append((size, cassette.path))


def _add(found: Statistics, interaction: Interaction, read: Read) -> None:
    exchange = read(interaction.request)
    usage = exchange.dialect.read_reply(interaction.reply).usage
    for count in (found.total, found.models.setdefault(exchange.prompt.model, Count())):
        count.add(exchange, usage)
    found.operations[exchange.operation] += 1
    found.upstreams[str(interaction.meta.get("upstream") or "")] += 1
    found.recorded += [str(interaction.meta["recorded"])] if interaction.meta.get("recorded") else []


def _blobs_near(cassette: Path) -> Iterator[Path]:
    """The large bodies that a cassette names, where they are found."""
    for name in library.blob_names(cassette.read_bytes()):
        path = library.blob_path(cassette, name)
        if path is not None:
            yield path
