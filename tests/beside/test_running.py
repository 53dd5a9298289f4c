"""Plugins that decide when, where and how often a test runs."""

from __future__ import annotations

import pytest

FAILS_FIRST = """
    from pathlib import Path

    def test_it(llm_mock, ask):
        first = not Path("tried").exists()
        Path("tried").touch()
        assert ask("hello") and ask("hello") and ask("bye")
        assert [entry.interaction for entry in llm_mock.requests.where(source="cassette")] in ([], [1, 2, 3])
        assert not first
"""

RERUNS = [("pytest_rerunfailures", "--reruns=2"), ("flaky.flaky_pytest_plugin", "--force-flaky")]
reruns = pytest.mark.parametrize(("plugin", "option"), RERUNS, ids=lambda value: value.split(".")[0])


@reruns
def test_a_rerun_replays_from_the_start_and_the_last_try_is_counted(run, pytester, standin, plugin, option):
    pytester.makepyfile(test_app=FAILS_FIRST)
    (pytester.path / "tried").touch()
    run("", "--llm-record")
    asked = len(standin.requests)
    (pytester.path / "tried").unlink()
    assert "llmmock: 3 replayed, 0 recorded, 0 unmatched · " in run(plugin, option)
    assert len(standin.requests) == asked


@reruns
@pytest.mark.parametrize("mode", ["once", "new_episodes", "all"])
def test_what_a_failed_first_try_recorded_is_neither_written_twice_nor_lost(
    run, pytester, standin, interactions, plugin, option, mode
):
    pytester.makepyfile(test_app=FAILS_FIRST)
    assert "llmmock: 0 replayed, 3 recorded, 0 unmatched\n" in run(plugin, option, f"--llm-record={mode}")
    assert len(standin.requests) == 6
    assert interactions("test_app/test_it") == 3
    assert interactions(".llmmock/failed/test_app/test_it") == 3


def test_a_test_whose_every_try_fails_is_counted_once(run, pytester):
    pytester.makepyfile(test_app=FAILS_FIRST.replace("not first", "False"))
    run("pytest_rerunfailures", "--reruns=2", "--llm-record", status=1)
    output = run("pytest_rerunfailures", "--reruns=2", status=1)
    assert "llmmock: 0 replayed, 0 recorded, 1 unmatched" in output


MANY = """
    import pytest

    @pytest.mark.parametrize("number", range(6))
    def test_it(llm_mock, ask, number):
        assert ask(f"number {number}").startswith(f"number {number}")
        assert llm_mock.requests.last.interaction in (None, 1)
"""


@pytest.mark.parametrize(
    ("plugins", "arguments"),
    [
        ("xdist.plugin", ["-n", "2"]),
        ("xdist.plugin", ["-n", "0"]),
    ]
    + [("pytest_randomly", [f"--randomly-seed={seed}"]) for seed in (1, 2)]
    + [
        ("pytest_timeout", ["--timeout=60"]),
        ("pytest_cov", ["--cov=pytest_llmmock", "--cov-report="]),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
def test_recorded_alone_replayed_beside(run, pytester, standin, plugins, arguments):
    pytester.makepyfile(test_app=MANY)
    assert "llmmock: 0 replayed, 6 recorded, 0 unmatched\n" in run("", "--llm-record")
    assert "llmmock: 6 replayed, 0 recorded, 0 unmatched · " in run(plugins, *arguments)
    assert len(standin.requests) == 6


@pytest.mark.parametrize(("plugin", "arguments"), [("xdist.plugin", ["-n", "2"]), ("pytest_randomly", [])])
def test_recorded_beside_replayed_alone(run, pytester, plugin, arguments):
    pytester.makepyfile(test_app=MANY)
    assert "llmmock: 0 replayed, 6 recorded, 0 unmatched\n" in run(plugin, "--llm-record", *arguments)
    assert "llmmock: 6 replayed, 0 recorded, 0 unmatched · " in run("")


def test_unittest_test_cases_are_covered_by_marker_and_fixture(run, pytester):
    pytester.makepyfile(
        test_app="""
        import os, unittest
        import pytest
        from openai import OpenAI

        def ask(words):
            with OpenAI(api_key=os.environ["STANDIN_KEY"], base_url=os.environ["STANDIN_URL"]) as client:
                messages = [{"role": "user", "content": words}]
                return client.chat.completions.create(model="m", messages=messages).choices[0].message.content

        @pytest.mark.llm_cassette("marked")
        class TestMarked(unittest.TestCase):
            def setUp(self):
                assert ask("set-up").startswith("set-up")

            def test_it(self):
                assert ask("marked").startswith("marked")

        @pytest.mark.usefixtures("llm_mock")
        class TestUsing(unittest.TestCase):
            def test_it(self):
                for word in ("a", "b"):
                    with self.subTest(word=word):
                        assert ask(word).startswith(word)

        class TestAsync(unittest.IsolatedAsyncioTestCase):
            @pytest.mark.llm_cassette
            async def test_it(self):
                assert ask("async").startswith("async")
        """
    )
    assert "llmmock: 0 replayed, 5 recorded, 0 unmatched\n" in run("", "--llm-record")
    assert "llmmock: 5 replayed, 0 recorded, 0 unmatched · " in run("")


def test_subtests(run, pytester):
    pytester.makepyfile(
        test_app="""
        def test_it(llm_mock, ask, subtests):
            for word in ("a", "b"):
                with subtests.test(word=word):
                    assert ask(word).startswith(word)
        """
    )
    plugin = "" if pytest.version_tuple >= (9,) else "pytest_subtests.plugin"
    assert "llmmock: 0 replayed, 2 recorded, 0 unmatched\n" in run(plugin, "--llm-record")
    assert "llmmock: 2 replayed, 0 recorded, 0 unmatched · " in run(plugin)


def test_a_failed_subtest_keeps_the_recordings_aside(run, pytester, interactions):
    pytester.makepyfile(
        test_app="""
        def test_it(llm_mock, ask, subtests):
            for word in ("a", "b"):
                with subtests.test(word=word):
                    assert ask(word).startswith("a")
        """
    )
    plugin = "" if pytest.version_tuple >= (9,) else "pytest_subtests.plugin"
    run(plugin, "--llm-record", status=1)
    assert interactions(".llmmock/failed/test_app/test_it") == 2
