"""Reading a client's JSON, strictly: what this server cannot do is refused by name, never ignored."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from finetune.serve.answering import Sampling

DEFAULT_TOKENS = 256
CANNOT = ("tools", "tool_choice", "response_format", "stop", "logprobs", "top_logprobs", "logit_bias", "functions")


class Refused(ValueError):
    """A request that this server does not answer; the message says which part of it."""


class Said(BaseModel):
    """One message of a conversation, with text alone."""

    model_config = ConfigDict(extra="ignore")
    role: Literal["system", "user", "assistant"]
    content: str


class StreamOptions(BaseModel):
    """What a stream tells beside the text."""

    model_config = ConfigDict(extra="ignore")
    include_usage: bool = False


class ChatRequest(BaseModel):
    """The fields of OpenAI's chat completion that this server honours."""

    model_config = ConfigDict(extra="ignore")
    model: str
    messages: Annotated[list[Said], Field(min_length=1)]
    max_tokens: int | None = Field(None, ge=1)
    max_completion_tokens: int | None = Field(None, ge=1)
    temperature: float = Field(0.0, ge=0, le=2)
    top_p: float = Field(1.0, gt=0, le=1)
    seed: int | None = Field(None, ge=0, lt=2**63)
    n: Literal[1] = 1
    stream: bool = False
    stream_options: StreamOptions = StreamOptions()
    presence_penalty: Literal[0] = 0
    frequency_penalty: Literal[0] = 0

    @property
    def conversation(self) -> list[dict[str, str]]:
        """The messages as the chat template takes them."""
        return [{"role": said.role, "content": said.content} for said in self.messages]

    @property
    def sampling(self) -> Sampling:
        """How the answer is drawn."""
        tokens = self.max_completion_tokens or self.max_tokens or DEFAULT_TOKENS
        return Sampling(tokens, self.temperature, self.top_p, self.seed)


def read_request(body: Any) -> ChatRequest:
    """Check a parsed body. Raises `Refused` naming the field."""
    if not isinstance(body, dict):
        raise Refused("the body is no JSON object")
    if asked := [name for name in CANNOT if body.get(name)]:
        raise Refused(f"this server does not know {', '.join(asked)}")
    try:
        return ChatRequest.model_validate({name: value for name, value in body.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        raise Refused(f"{'.'.join(map(str, first['loc']))}: {first['msg']}") from None
