"""Keys and limits, as users have them in their tests."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "simulation.md"


def test_the_examples_of_the_documentation_pass(project):
    examples = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    for number, example in enumerate(examples):
        project.makepyfile(**{f"test_example_{number}": example})
    result = project.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(passed=3)


def test_a_key_is_shown_neither_where_a_test_fails_nor_in_reports(project):
    key = "sk-right-0123456789-abcdefgh"
    project.makepyfile(
        f"""
        import httpx
        import pytest
        from openai import OpenAI

        @pytest.fixture
        def llm_config():
            return {{"auth_token": "{key[:12]}" "{key[12:]}"}}

        def test_miss(llm_server):
            with OpenAI(max_retries=0) as client:
                client.chat.completions.create(model="m", messages=[])

        def test_wrong_key(llm_server):
            wrong = httpx.get(llm_server.base_url + "/models", headers={{"api-key": "x"}})
            assert wrong.status_code == 401
        """
    )
    result = project.runpytest_inprocess("-p", "no:cacheprovider", "--llm-report=report.json", "--tb=line")
    result.assert_outcomes(passed=1, failed=1)
    assert key not in result.stdout.str() + result.stderr.str()
    assert key not in (project.path / "report.json").read_text()


def test_a_wrong_setting_is_told_where_it_stands(project):
    project.makepyfile(
        """
        import pytest

        @pytest.mark.parametrize("llm_config", [{"limits": "rmp=3"}])
        def test_it(llm_mock):
            pass
        """
    )
    result = project.runpytest_inprocess("-p", "no:cacheprovider")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*limits='rmp=3' is not possible. There is no limit 'rmp'. Did you mean *"])
