"""A plugin's own tests run pytest inside pytest, again and again, and modules come and go."""

TEST = """
from openai import OpenAI

def test_plan(llm_mock):
    llm_mock.reply("Rome")
    with OpenAI(api_key="test") as client:
        assert client.responses.create(model="gpt-5", input="Where?").output_text == "Rome"
"""


def test_replies_by_hand_work_in_the_second_run_inside_one_process_too(pytester):
    pytester.makepyfile(TEST)
    for _ in range(2):
        pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
