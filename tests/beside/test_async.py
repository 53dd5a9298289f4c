"""Plugins that run async tests. Each request of a test is answered from that test's cassette, wherever it is made."""

from __future__ import annotations

import pytest

ASYNC = """
    import asyncio
    import pytest

    {mark}

    {fixture}
    async def opened(llm_mock, ask_async):
        assert (await ask_async("fixture")).startswith("fixture")
        yield

    async def everywhere(ask_async, ask, name):
        task = asyncio.create_task(ask_async(name))
        answers = [await task, await asyncio.to_thread(ask, name)]
        answers += await asyncio.gather(*(ask_async(name) for _ in range(3)))
        assert all(answer.startswith(name) for answer in answers)

    async def test_one(opened, llm_mock, ask_async, ask):
        await everywhere(ask_async, ask, "one")
        assert len(llm_mock.requests) == 6

    async def test_two(llm_mock, ask_async, ask):
        await everywhere(ask_async, ask, "two")
        assert len(llm_mock.requests) == 5

    @pytest.mark.llm_cassette
    async def test_by_marker_alone(ask_async, ask):
        await everywhere(ask_async, ask, "three")
"""

STRICT = {"mark": "pytestmark = pytest.mark.asyncio", "fixture": "import pytest_asyncio\n\n    @pytest_asyncio.fixture"}
AUTO = {"mark": "", "fixture": "@pytest.fixture"}
ANYIO = {"mark": "pytestmark = pytest.mark.anyio", "fixture": "@pytest.fixture"}
ONE_LOOP = {**STRICT, "mark": 'pytestmark = pytest.mark.asyncio(loop_scope="session")'}
ONE_LOOP["fixture"] = 'import pytest_asyncio\n\n    @pytest_asyncio.fixture(loop_scope="session")'

QUIET = ("-o", "asyncio_default_fixture_loop_scope=function")


@pytest.mark.parametrize(
    ("plugin", "words", "arguments"),
    [
        ("pytest_asyncio.plugin", STRICT, ("--asyncio-mode=strict", *QUIET)),
        ("pytest_asyncio.plugin", AUTO, ("--asyncio-mode=auto", *QUIET)),
        ("pytest_asyncio.plugin", ONE_LOOP, ("--asyncio-mode=strict", *QUIET)),
        ("anyio.pytest_plugin", ANYIO, ("-k", "asyncio or not trio")),
    ],
    ids=["strict", "auto", "session-loop", "anyio"],
)
def test_async_tests_are_recorded_and_replayed(run, pytester, standin, interactions, plugin, words, arguments):
    pytester.makepyfile(test_app=ASYNC.format(**words))
    assert "llmmock: 0 replayed, 16 recorded, 0 unmatched\n" in run(plugin, "--llm-record", *arguments)
    assert "llmmock: 16 replayed, 0 recorded, 0 unmatched · " in run(plugin, *arguments)
    assert len(standin.requests) == 16


def test_a_task_that_outlives_its_test_is_answered_from_the_cassette_of_the_test_that_runs(run, pytester):
    pytester.makepyfile(
        test_app="""
        import asyncio
        import pytest

        pytestmark = pytest.mark.asyncio(loop_scope="module")
        asked, answered = asyncio.Queue(), asyncio.Queue()

        async def work(ask_async):
            while True:
                await answered.put(await ask_async(await asked.get()))

        @pytest.mark.parametrize("word", ["one", "two"])
        async def test_it(llm_mock, ask_async, word):
            if word == "one":
                globals()["task"] = asyncio.create_task(work(ask_async))
            await asked.put(word)
            assert (await answered.get()).startswith(word)
            assert len(llm_mock.requests) == 1
            if word == "two":
                task.cancel()
        """
    )
    assert "llmmock: 0 replayed, 2 recorded" in run("pytest_asyncio.plugin", "--llm-record", *QUIET)
    assert "llmmock: 2 replayed, 0 recorded" in run("pytest_asyncio.plugin", *QUIET)
