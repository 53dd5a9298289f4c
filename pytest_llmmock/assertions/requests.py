"""The journal as a test holds it: what was asked and answered, and assertions about it.

What decides and what tells is loaded with the first assertion.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..core.journal import Entry, Journal, last_of

if TYPE_CHECKING:
    from .scope import Scope


class Assertions(ABC):
    """What can be asserted of requests. A failure tells what was asked instead."""

    @property
    @abstractmethod
    def _scope(self) -> Scope:
        """The requests that count."""

    def assert_called(self, *conditions: Any, times: int | None = None, **named: Any) -> None:
        """Assert that such a request was made: once at least, or exactly `times` times.

        The conditions are those of `when`, and values of the journal's entries: `model="gpt-*"`, `contains="Rome"`,
        `status=200`. Each try of a client counts. Raises `AssertionError`, and `UsageError` for a condition that there
        is not.
        """
        __tracebackhide__ = True
        from .counts import failure, split

        given, wanted = split(conditions, times)
        scope = self._scope.narrowed("assert_called", given, named)
        _hold(failure(scope, wanted), scope)

    def assert_not_called(self, *conditions: Any, **named: Any) -> None:
        """Assert that no such request was made; conditions are those of `assert_called`. Raises `AssertionError`."""
        __tracebackhide__ = True
        from .counts import failure

        scope = self._scope.narrowed("assert_not_called", conditions, named)
        _hold(failure(scope, 0), scope)

    def assert_tool_called(self, name: str, /, **arguments: Any) -> None:
        """Assert that an answer called this tool, with these arguments at least.

        `name` may be a pattern with `*`. A value is equal to the argument, or it is a compiled regular expression that
        is found in it, or a function that says yes to it; `unittest.mock.ANY` is equal to anything. They may stand
        inside dicts and lists too. The text that a custom tool is given is its argument `input`. Raises
        `AssertionError`.
        """
        __tracebackhide__ = True
        from .tools import failure

        _hold(failure(self._scope, name, arguments), self._scope)

    def assert_tool_arguments_valid(self) -> None:
        """Assert that each call of a tool in the answers is one that its request has asked for.

        That is: such a tool was offered, the arguments are JSON, and they satisfy the JSON schema that the tool was
        offered with. Custom tools and those that the provider runs itself have no schema. Without calls there is
        nothing to fail: `assert_tool_called` says that there are some. Raises `AssertionError`.
        """
        __tracebackhide__ = True
        from .schemas import failure

        _hold(failure(self._scope), self._scope)

    def assert_prompt_cache_stable(self) -> None:
        """Assert that each request begins with the whole of the one that it goes on from, so that it can be cached.

        Providers keep prompts by their exact beginning: tools, then what the system says, then the messages. A request
        goes on from an earlier one of the same model, address and kind when

        * it names its response or its conversation (`previous_response_id`, `conversation`), or
        * it holds its answer, behind the messages that asked for it: at the same place, where most of them are the same
          or differ by what changes on every run; or at another, behind the same last message;

        and when what the system says is alike: an agent that takes over has a prompt of its own. Requests that go on
        from nothing are not compared, so separate conversations, other models, agents and tries again do not
        count. Where `cache_control` marks how much is to be kept, as Anthropic has it, only that counts. What no model
        reads is left out: the marks themselves, ids of items, thoughts, empty fields. Raises `AssertionError`.
        """
        __tracebackhide__ = True
        from .prefixes import failure

        _hold(failure(self._scope), self._scope)


def _hold(failure: str, scope: Scope) -> None:
    """Raises `AssertionError` when something has failed."""
    __tracebackhide__ = True
    if failure:
        raise AssertionError(scope.clean(failure))


class Selection(Assertions, list[Entry]):
    """The entries of a journal that fit some conditions."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(entry for _, entry in scope.fitting)
        self._of = scope

    @property
    def _scope(self) -> Scope:
        return self._of

    @property
    def last(self) -> Entry:
        """The latest of them. Raises IndexError when there is none."""
        return last_of(self)

    def where(self, *conditions: Any, **named: Any) -> Selection:
        """Those of them that fit these conditions as well. Raises `UsageError`."""
        return Selection(self._of.narrowed("where", conditions, named))


class Requests(Journal, Assertions):
    """All entries, the first one asked first, and assertions about them."""

    def __init__(self, limit: int | None = None, clean: Callable[[str], str] = str) -> None:
        super().__init__(limit)
        self._clean = clean

    @property
    def _scope(self) -> Scope:
        from .scope import Scope

        return Scope(tuple(enumerate(self, 1)), self._clean)

    def where(self, *conditions: Any, **named: Any) -> Selection:
        """The entries that fit: conditions of `when`, and values of entries: `where(model="gpt-*", status=200)`.

        What is found is a list, with the same assertions. Raises `UsageError`.
        """
        return Selection(self._scope.narrowed("where", conditions, named))
