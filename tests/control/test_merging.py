"""What several workers tell, as one answer."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from pytest_llmmock.control.merging import merged, summed
from pytest_llmmock.control.metrics import Metrics


def entry(number: int, started: str) -> dict[str, object]:
    return {"number": number, "started": started}


def test_entries_of_journals_are_in_the_order_of_asking_and_name_their_worker():
    told = {"7": {"entries": [entry(1, "08:00"), entry(2, "10:00")]}, "9": {"entries": [entry(1, "09:00")]}}
    assert merged(told) == {
        "entries": [
            {**entry(1, "08:00"), "worker": "7"},
            {**entry(1, "09:00"), "worker": "9"},
            {**entry(2, "10:00"), "worker": "7"},
        ]
    }


def test_the_last_entries_are_the_last_of_all():
    told = {"7": {"entries": [entry(1, "08:00"), entry(2, "10:00")]}, "9": {"entries": [entry(1, "09:00")]}}
    assert [each["started"] for each in merged(told, 2)["entries"]] == ["09:00", "10:00"]
    assert len(merged(told, 9)["entries"]) == 3


def test_what_was_counted_is_added_and_what_was_said_is_said_once():
    rule = {"rule": "when()", "priority": 3, "put": True}
    told = {
        "7": {"added": 1, "rules": [{**rule, "answered": 2}]},
        "9": {"added": 1, "rules": [{**rule, "answered": 5}]},
    }
    assert merged(told) == {"added": 1, "rules": [{**rule, "answered": 7}]}
    assert merged({"7": {"forgotten": 2}, "9": {"forgotten": 3}}) == {"forgotten": 5}
    assert merged({"7": {"fault": "cut"}, "9": {"fault": "cut"}}) == {"fault": "cut"}
    assert merged({"7": {"faults": []}, "9": {"faults": []}}) == {"faults": []}


def test_where_rules_differ_those_of_who_was_asked_are_told():
    assert merged({"7": {"rules": [{"answered": 1}]}, "9": {"rules": []}}) == {"rules": [{"answered": 1}]}


def test_figures_are_added_up_and_can_be_read():
    one = '# HELP a_total What.\n# TYPE a_total counter\na_total{s="x y"} 1\na_total{s="z"} 0.25\n'
    other = '# HELP a_total What.\n# TYPE a_total counter\na_total{s="x y"} 2\na_total{s="new"} 1e-05\n'
    assert summed([one, other]) == (
        "# HELP a_total What.\n# TYPE a_total counter\n"
        'a_total{s="x y"} 3\na_total{s="z"} 0.25\na_total{s="new"} 1e-05\n'
    )


def test_our_own_figures_are_still_figures_when_they_are_added_up():
    text = Metrics().text()
    names = [family.name for family in text_string_to_metric_families(text)]
    assert [family.name for family in text_string_to_metric_families(summed([text, text]))] == names
    assert summed([text]) == text
