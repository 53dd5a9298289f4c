"""A provider that is played, as users have it in their tests."""

from __future__ import annotations

CLIENT = """
import httpx2
import openai
import pytest

@pytest.fixture
def llm_config():
    return {"simulate": True, "model_list": ["gpt-5", "o*"]}
"""


def run(project, *arguments):
    return project.runpytest_inprocess("-p", "no:cacheprovider", *arguments)


def test_what_is_uploaded_lives_as_long_as_its_test(project):
    project.makepyfile(
        CLIENT
        + """
@pytest.mark.parametrize("time", [1, 2])
@pytest.mark.parametrize("way", ["llm_mock", "llm_server"])
def test_files(request, way, time):
    mock = request.getfixturevalue(way)
    with openai.OpenAI(api_key="k", base_url=getattr(mock, "base_url", None)) as client:
        assert list(client.files.list()) == []
        made = client.files.create(file=("a.txt", b"hello"), purpose="user_data")
        assert client.files.content(made.id).read() == b"hello"
        client.files.delete(made.id)
        with pytest.raises(openai.NotFoundError):
            client.files.retrieve(made.id)
        assert [model.id for model in client.models.list()] == ["gpt-5"]
        with pytest.raises(openai.NotFoundError, match="gpt-7"):
            client.embeddings.create(model="gpt-7", input="x")
    assert {entry.source for entry in mock.requests} == {"script"}
    assert mock.requests[1].messages[0].parts[0].content == b"hello"

def test_async(llm_mock):
    import asyncio

    async def ask():
        async with openai.AsyncOpenAI(api_key="k") as client:
            made = await client.files.create(file=("a.txt", b"hello"), purpose="user_data")
            assert (await client.files.content(made.id)).read() == b"hello"
            assert not (await client.moderations.create(input="x")).results[0].flagged

    asyncio.run(ask())
"""
    )
    run(project).assert_outcomes(passed=5)


def test_what_only_a_model_could_answer_is_still_a_miss(project):
    project.makepyfile(
        CLIENT
        + """
def test_chat(llm_mock):
    with openai.OpenAI(api_key="k") as client, pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="gpt-5", messages=[])
"""
    )
    result = run(project)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["llmmock: There are no recordings to answer this request from*"])


def test_without_it_only_recordings_answer(project, standin):
    project.makepyfile(
        """
        import httpx2
        import pytest

        def test_files(llm_mock):
            answer = httpx2.get("https://api.openai.com/v1/files")
            assert answer.status_code == 404
        """
    )
    result = run(project)
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*GET /v1/files*"])


def test_recordings_answer_what_the_provider_does_not(project, standin):
    project.makepyfile(
        """
        import httpx2
        import pytest

        @pytest.fixture
        def llm_config():
            return {"simulate": True}

        def test_it(llm_mock, ask):
            assert ask("hello") == "hello #1"
            source = "cassette" if llm_mock.cassette.exists else "upstream"
            assert llm_mock.requests.last.source == source
            models = httpx2.get("https://api.openai.com/v1/models").json()
            assert [model["id"] for model in models["data"]] == (["m"] if llm_mock.cassette.exists else [])
        """
    )
    run(project, "--llm-record").assert_outcomes(passed=1)
    run(project).assert_outcomes(passed=1)
    assert len(standin.requests) == 1


def test_models_that_rules_name_are_listed(project):
    project.makepyfile(
        """
        import httpx2
        import pytest

        @pytest.fixture
        def llm_config(tmp_path):
            path = tmp_path / "rules.yaml"
            path.write_text("rules: [{when: {model: of-a-file}, reply: hi}]")
            return {"simulate": True, "rules": str(path)}

        def test_it(llm_mock):
            llm_mock.when(model="gpt-5").reply("Hello")
            llm_mock.when(model="o*").reply("Hello")
            models = httpx2.get("https://api.openai.com/v1/models").json()["data"]
            tags = httpx2.get("http://localhost:11434/api/tags").json()["models"]
            assert [model["id"] for model in models] == ["gpt-5", "of-a-file"]
            assert [model["name"] for model in tags] == ["gpt-5", "of-a-file"]
        """
    )
    run(project).assert_outcomes(passed=1)
