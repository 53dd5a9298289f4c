"""Other plugins that have an option of ours, such as pytest-mockllm's `--llm-record`.

pytest refuses to start when two plugins add the same option, whichever comes first. So the option stays ours, the other
plugin hears it too, and a line in pytest's header says so. Like `plugin.py` this is imported in every run.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import pytest

NAME = "llmmock"
"""Our name among pytest's plugins, and that of our group of options."""

_PLUGIN = "llmmock-beside"
_GIVEN = "llmmock_given_"


class Given(argparse.Action):
    """Stores what was given on the command line under two names: the usual one, which another plugin may share
    and have a default for, and one that only we know."""

    def __call__(
        self, parser: argparse.ArgumentParser, namespace: argparse.Namespace, values: Any, option: str | None = None
    ) -> None:
        setattr(namespace, self.dest, values)
        setattr(namespace, _GIVEN + self.dest, values)


def given(config: pytest.Config, dest: str) -> Any:
    """What was given on the command line for an option of ours, or None."""
    return config.getoption(_GIVEN + dest, None)


def ini(config: pytest.Config, name: str) -> Any:
    """What the ini file says, or None. What another plugin has as its default was not said."""
    beside: Any = config.pluginmanager.get_plugin(_PLUGIN)
    value = config.getini(name)
    return None if value == beside.ini_defaults.get(name) else value or None


class _Shared(NamedTuple):
    """An option that another plugin has as well. No dataclass: to make one takes a third of importing all of this."""

    name: str
    ours: str
    """Where its value is kept for us."""
    theirs: str
    """And for the other plugin."""
    default: Any
    """What the other plugin expects when it is not given."""
    group: str
    """The heading of the other plugin's options."""


class Beside:
    """Our group of options, beside those of others."""

    def __init__(self, parser: pytest.Parser, description: str) -> None:
        self.ini_defaults: dict[str, Any] = {}
        self._parser = parser
        self._group = parser.getgroup(NAME, description)
        self._ours: dict[str, str] = {}
        self._shared: list[_Shared] = []
        self._addini = parser.addini
        self._getgroup = parser.getgroup
        parser.addoption = self._yielding(parser.addoption, "")  # type: ignore[method-assign]
        parser.addini = self._noting  # type: ignore[method-assign]
        parser.getgroup = self._watched  # type: ignore[method-assign]

    @classmethod
    def join(cls, parser: pytest.Parser, pluginmanager: pytest.PytestPluginManager, description: str) -> Beside:
        """Our group of options, which is told of what others add before and after it."""
        beside = cls(parser, description)
        pluginmanager.register(beside, _PLUGIN)
        return beside

    def addoption(self, *names: str, **attributes: Any) -> None:
        """Add an option of ours; one of these names that another plugin has already becomes ours."""
        dest = attributes.setdefault("dest", _dest(names))
        attributes.setdefault("action", Given)
        self._take(names, dest)
        self._group.addoption(*names, **attributes)
        self._ours.update(dict.fromkeys(names, dest))

    def addini(self, name: str, description: str) -> None:
        """Add an ini option of ours, unless another plugin has it already: it relies on its own default."""
        known = getattr(self._parser, "_inidict", {}).get(name)
        if known is None:
            self.ini_defaults[name] = None
            self._addini(name, description, default=None)
        else:
            self.ini_defaults[name] = known[-1]

    # --- who came before ---

    def _take(self, names: Iterable[str], dest: str) -> None:
        wanted = set(names)
        for group in _groups(self._parser):
            for option in [*group.options]:
                if found := wanted.intersection(option.names()):
                    self._note(found, dest, option.dest, getattr(option, "default", None), group.name or "")
                    _let_go(group, option, found)
        if self._shared and hasattr(self._group, "_arggroup"):  # since pytest 9 an argument is argparse's at once
            self._group._arggroup.conflict_handler = "resolve"

    def _note(self, names: Iterable[str], ours: str, theirs: str, default: Any, group: str) -> None:
        self._shared += [_Shared(name, ours, theirs, default, group) for name in names]

    # --- who comes later ---

    def _watched(self, name: str, *arguments: Any, **more: Any) -> Any:
        group: Any = self._getgroup(name, *arguments, **more)
        if group is not self._group and "addoption" not in vars(group):
            group.addoption = self._yielding(group.addoption, name)
        return group

    def _yielding(self, add: Callable[..., None], group: str) -> Callable[..., None]:
        """Adds another plugin's option without the names that are ours."""

        def addoption(*names: str, **attributes: Any) -> None:
            if taken := [name for name in names if name in self._ours]:
                dest = attributes.setdefault("dest", _dest(names))
                self._note(taken, self._ours[taken[0]], dest, attributes.get("default"), group)
            free = [name for name in names if name not in self._ours]
            if free:
                add(*free, **attributes)

        return addoption

    def _noting(self, name: str, *arguments: Any, **more: Any) -> None:
        """Adds another plugin's ini option; under a name of ours it takes the place of ours."""
        self._addini(name, *arguments, **more)
        if name in self.ini_defaults:
            self.ini_defaults[name] = more.get("default")

    # --- pytest's hooks ---

    @pytest.hookimpl(tryfirst=True)
    def pytest_configure(self, config: pytest.Config) -> None:
        """What was given is given to both; what was not, is what the other plugin expects."""
        for option in self._shared:
            value = given(config, option.ours)
            for dest in (option.ours, option.theirs):
                if value is not None or getattr(config.option, dest, None) is None:
                    setattr(config.option, dest, option.default if value is None else value)

    def pytest_report_header(self, config: pytest.Config) -> list[str]:
        if not self._shared:
            return []
        names = " and ".join(sorted({option.name for option in self._shared}))
        groups = sorted({option.group for option in self._shared})
        others = [name if config.pluginmanager.has_plugin(name) else "NAME" for name in groups]
        headings = ", ".join(name if name not in ("", "_anonymous") else "Custom options" for name in groups)
        return [
            f"llmmock: another plugin ({headings}) has {names} too; both hear it, in the words of"
            f" pytest-llmmock. To leave one out: -p no:{NAME} or {' '.join(f'-p no:{name}' for name in others)}"
        ]


def _groups(parser: pytest.Parser) -> list[Any]:
    """The groups of options; pytest 8 does not count the one without a heading among them."""
    groups, nameless = getattr(parser, "_groups", []), getattr(parser, "_anonymous", None)
    return [*groups, *([nameless] if nameless is not None and nameless not in groups else [])]


def _dest(names: Iterable[str]) -> str:
    """Where pytest keeps the value of an option that does not say it."""
    spelt = [name for name in names if name.startswith("--")] or list(names)
    return spelt[0].lstrip("-").replace("-", "_")


def _let_go(group: Any, option: Any, names: set[str]) -> None:
    """Take names from an option before it becomes argparse's, which it does only when pytest 8 parses."""
    spelt = getattr(option, "_long_opts", None)
    if spelt is not None:
        spelt[:] = [name for name in spelt if name not in names]
    if not set(option.names()) - names:
        group.options.remove(option)
