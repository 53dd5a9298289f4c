"""`transformers serve` as an upstream, with a model that is as small as one can be and says whatever comes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from openai import OpenAI
from programs import free_port, program

from pytest_llmmock import use_cassette
from pytest_llmmock.cassettes.library import open_cassette

pytest.importorskip("torch", reason="transformers serve needs torch")
transformers = pytest.importorskip("transformers", reason="transformers is not there")
pytest.importorskip("fastapi", reason="transformers[serving] is not there")

OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "NO_PROXY": "127.0.0.1,localhost",
    "PYTHONUNBUFFERED": "1",
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a model with random weights."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    folder = tmp_path_factory.mktemp("model")
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet)
    tokenizer.train_from_iterator(["one two three"], trainer)
    fast = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="</s>"
    )
    fast.chat_template = "{% for m in messages %}{{ m['role'] }}: {{ m['content'] }}\n{% endfor %}assistant:"
    fast.save_pretrained(folder)
    config = transformers.LlamaConfig(
        vocab_size=len(fast), hidden_size=32, intermediate_size=32, num_hidden_layers=1, num_attention_heads=2
    )
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return str(folder)


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    port = free_port()
    command = [str(Path(sys.executable).with_name("transformers")), "serve", "--host", "127.0.0.1", "--port", str(port)]
    with program(command, "Uvicorn running", **OFFLINE):
        yield f"http://127.0.0.1:{port}/v1"


def test_what_a_local_model_says_is_replayed_without_it(served, model, tmp_path):
    path = tmp_path / "c.yaml"
    asked = {"model": model, "messages": [{"role": "user", "content": "one two"}], "max_tokens": 8}

    def answers(base_url: str) -> list[object]:
        with OpenAI(api_key="k", base_url=base_url, max_retries=0) as client:
            plain = client.chat.completions.create(**asked)
            pieces = list(client.chat.completions.create(**asked, stream=True))
        return [plain, pieces]

    with use_cassette(path, mode="new_episodes", upstream=served):
        recorded = answers("https://api.openai.com/v1")
    assert len(recorded[1]) > 1
    with use_cassette(path):
        assert answers("https://api.openai.com/v1") == recorded
    assert [each.meta["operation"] for each in open_cassette(path).interactions] == ["chat", "chat"]
