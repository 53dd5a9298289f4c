"""Which hosts are model providers: in replay, no request to one of them may leave this process."""

from __future__ import annotations

from fnmatch import fnmatchcase

HOSTS = frozenset(
    {
        "api.openai.com",
        "chatgpt.com",
        "api.anthropic.com",
        "generativelanguage.googleapis.com",
        "aiplatform.googleapis.com",
        "api.mistral.ai",
        "codestral.mistral.ai",
        "api.groq.com",
        "api.x.ai",
        "openrouter.ai",
        "api.deepseek.com",
        "api.cohere.com",
        "api.cohere.ai",
        "api.together.xyz",
        "api.together.ai",
        "api.fireworks.ai",
        "api.perplexity.ai",
        "api.cerebras.ai",
        "api.sambanova.ai",
        "api.ai21.com",
        "api.voyageai.com",
        "api.jina.ai",
        "api.replicate.com",
        "api.moonshot.ai",
        "api.moonshot.cn",
        "api.minimax.io",
        "api.z.ai",
        "open.bigmodel.cn",
        "dashscope.aliyuncs.com",
        "dashscope-intl.aliyuncs.com",
        "dashscope-us.aliyuncs.com",
        "integrate.api.nvidia.com",
        "router.huggingface.co",
        "api-inference.huggingface.co",
        "models.github.ai",
        "models.inference.ai.azure.com",
        "api.studio.nebius.com",
        "api.tokenfactory.nebius.com",
        "api.hyperbolic.xyz",
        "api.deepinfra.com",
        "api.novita.ai",
        "api.elevenlabs.io",
        "api.deepgram.com",
        "ollama.com",
    }
)

PATTERNS = (
    "*.api.openai.com",
    "*.openai.azure.com",
    "*.services.ai.azure.com",
    "*.cognitiveservices.azure.com",
    "*.models.ai.azure.com",
    "*-aiplatform.googleapis.com",
    "bedrock-runtime.*.amazonaws.com",
    "bedrock-runtime-fips.*.amazonaws.com",
    "*.endpoints.huggingface.cloud",
)


def is_provider(host: str) -> bool:
    """Whether this host, in lower case and without a port, is a known model provider's."""
    return host in HOSTS or matches(host, PATTERNS)


def matches(host: str, patterns: tuple[str, ...]) -> bool:
    """Whether a host is one of these: names, or patterns with `*`."""
    return any(fnmatchcase(host, pattern.lower()) for pattern in patterns)
