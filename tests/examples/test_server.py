"""The same over HTTP, for code that takes a base URL or runs in another process."""

from __future__ import annotations

import subprocess
import sys

APP = """
from openai import OpenAI
answer = OpenAI().responses.create(model="gpt-5", input="Plan a day in Rome")
print(answer.output_text)
"""


def test_app(llm_server):
    app = subprocess.run([sys.executable, "-c", APP], capture_output=True, text=True, check=True)
    assert "Colosseum" in app.stdout
    assert llm_server.requests.last.model == "gpt-5"


def test_app_streams(llm_server):
    code = APP.replace("responses.create(", "responses.create(stream=True, ").replace("gpt-5", "gpt-5-mini")
    code = code.replace("print(answer.output_text)", "for event in answer: print(event.type)")
    app = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert app.stdout.splitlines()[-1] == "response.completed"
