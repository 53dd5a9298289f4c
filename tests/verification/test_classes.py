from __future__ import annotations

import pytest

from pytest_llmmock.errors import UsageError
from pytest_llmmock.verification.classes import read_classes, words


def test_classes_are_read_in_either_spelling():
    assert read_classes("field removed, text-differs,status_differs") == (
        "field-removed",
        "text-differs",
        "status-differs",
    )
    assert words("field-removed") == "field removed"


def test_no_class_may_be_wanted():
    assert read_classes("none") == ()


def test_a_wrong_name_is_told_with_the_one_that_was_meant():
    with pytest.raises(UsageError, match=r"no class 'field-remove'\. Did you mean 'field-removed'"):
        read_classes("field remove")
