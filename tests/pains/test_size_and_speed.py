"""Large files and slow tests, told by what is opened, parsed and stored."""

from __future__ import annotations

import os
from pathlib import Path

import openai
import pytest
from provider import Answer

from pytest_llmmock import use_cassette
from pytest_llmmock.cassettes import pieces


def test_of_a_hundred_recordings_the_one_that_is_played_is_parsed(run, monkeypatch):
    """Every test parses all of its file: eight files of many megabytes took minutes."""
    parsed = []
    parse = pieces.by_lines
    with run("once") as app, app.openai() as client:
        for number in range(100):
            client.chat.completions.create(model="m", messages=[{"role": "user", "content": f"number {number}"}])
    monkeypatch.setattr(pieces, "by_lines", lambda text: parsed.append(text) or parse(text))
    with run() as app:
        assert app.say("number 57") == "number 57 #58"
    assert [b"number 57" in text for text in parsed] == [True]


def test_a_sound_that_two_tests_record_is_stored_once_and_in_no_cassette(tmp_path, provider):
    """Large bodies stand in every file that has them, as a page of letters: 157 megabytes in one project."""
    sound = os.urandom(100_000)
    provider.answer = lambda asked: Answer(sound, headers={"content-type": "audio/mpeg"})

    def speak(name: str, mode) -> bytes:
        with (
            use_cassette(tmp_path / name, mode=mode),
            openai.OpenAI(api_key="k", base_url=provider.url + "/v1") as client,
        ):
            return client.audio.speech.create(model="tts-1", voice="alloy", input=name).content

    names = ["one.yaml", "two.yaml"]
    assert [speak(name, "once") for name in names] == [sound, sound]
    (blob,) = Path(tmp_path, "blobs").iterdir()
    assert blob.read_bytes() == sound
    assert all(Path(tmp_path, name).stat().st_size < 2000 for name in names)
    assert [speak(name, "none") for name in names] == [sound, sound]


@pytest.mark.parametrize("workers", [0, 2])
def test_tests_do_not_start_a_server_each(project, workers):
    """A server, or a process, that is started for each test costs more than the test."""
    project.makepyfile(
        test_app="""
        import os
        import pytest

        @pytest.mark.parametrize("number", range(6))
        def test_it(llm_server, number, request):
            with open(request.config.rootpath / f"{os.getpid()}.ports", "a") as file:
                file.write(llm_server.url.split("/")[2] + "\\n")
        """
    )
    project.runpytest_subprocess("-p", "no:cacheprovider", f"-n{workers}").assert_outcomes(passed=6)
    by_process = [path.read_text().split() for path in project.path.glob("*.ports")]
    assert sum(map(len, by_process)) == 6
    assert all(len(set(ports)) == 1 for ports in by_process)
