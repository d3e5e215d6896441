"""What all stages that talk to a language model share: whom to ask, how, and what it may cost."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from contract.config.base import RUNTIME, Config, RowsConfig


class Budget(Config):
    """Hard limits on what may be spent on language models; null means no limit."""

    money: float | None = Field(None, ge=0)
    """Most money spent (US dollars)."""

    tokens: int | None = Field(None, ge=0, le=10**15)
    """Most tokens spent, prompt and completion together."""

    requests: int | None = Field(None, ge=0, le=10**12)
    """Most requests sent."""


class Price(Config):
    """What a model costs."""

    prompt: float = Field(ge=0)
    """US dollars per million prompt tokens."""

    completion: float = Field(ge=0)
    """US dollars per million completion tokens."""


ADDRESS = r"^https?://(\[[0-9a-fA-F:.]+\]|[^\s/@:\[\]]+)(:\d+)?(/\S*)?$"


API_KEY = "OPENAI_API_KEY"
KEY_SERVERS = "NOCTURNE_KEY_SERVERS"
"""Environment variable: servers, parted by white space, that may be sent a key besides OpenAI's own and the one in
OPENAI_BASE_URL. Airflow sets it to what the deployment says and what the recipe's file names, so that whoever may
trigger a run can enter any `base_url`, but no place of his own to send a key to. Unset, on the command line: any."""
FOREIGN = ("AIRFLOW", "NOCTURNE")
"""Beginnings of variables whose secrets are of the house and must never be sent to a server that a recipe names."""


def _no_secret_of_the_house(name: str) -> str:
    if name.startswith(FOREIGN):
        raise ValueError(f"a variable of the house, starting with {' or '.join(FOREIGN)}, is never sent to a server")
    return name


KeyName = Annotated[str, Field(pattern=r"^([A-Z][A-Z0-9_]*_)?API_KEY$"), AfterValidator(_no_secret_of_the_house)]
"""Name of an environment variable, ending in API_KEY: whoever may trigger a run also names the server that the value is
sent to, and must not get a password or another token of the worker that way."""


class Endpoint(Config):
    """A model at a server, where a stage asks more than one."""

    model: str
    """Name of the model."""

    base_url: str | None = Field(None, pattern=ADDRESS)
    """Server address; null means the environment's OPENAI_BASE_URL, else OpenAI's own."""

    price: Price | None = None
    """Price of the model; null leaves the money spent unknown."""

    key: KeyName | None = None
    """Name of the environment variable that holds the server's key, such as TOGETHER_API_KEY; null means
    OPENAI_API_KEY. Airflow gives it to the stage from its own environment, or from the connection
    `nocturne_llm_<name in lower case>`."""


class WeightedEndpoint(Endpoint):
    """A model that gets a share of a stage's rows."""

    weight: float = Field(1.0, gt=0, le=1_000)
    """Its share, in proportion to the others' (above 0 to 1,000)."""


class LlmConfig(RowsConfig):
    """Whom to ask, how hard to try, and what it may cost."""

    model: str = "gpt-4o-mini"
    """Name of the model asked."""

    base_url: str | None = Field(None, pattern=ADDRESS)
    """Server address, such as http://localhost:8000/v1; null means the environment's OPENAI_BASE_URL, else OpenAI's
    own. vLLM, Ollama, TGI and llama.cpp speak the same protocol."""

    key: KeyName | None = None
    """Name of the environment variable that holds the server's key; null means OPENAI_API_KEY."""

    endpoints: list[WeightedEndpoint] = []
    """Models that share the rows, in place of `model`; which row goes to which is drawn by hash, so that another run
    asks the same again."""

    fallbacks: list[Endpoint] = []
    """Models asked in this order where one gives up: its server is dead, refuses the key or the request, answers
    hundreds of times in a row with something else than was asked for, or the account has no money left."""

    temperature: float = Field(0.7, ge=0, le=2)
    """Sampling temperature (0 to 2)."""

    max_tokens: int = Field(1_200, ge=1, le=100_000)
    """Longest completion (tokens, 1 to 100,000)."""

    seed: int = Field(0, ge=0, le=2**31 - 1)
    """Seed sent with each request (0 to 2,147,483,647)."""

    attempts: int = Field(5, ge=1, le=50)
    """Tries per request, first included, against 5xx, timeouts and cut-off bodies (1 to 50); a 429 is only waited out.
    """

    reasks: int = Field(2, ge=0, le=10)
    """Times a malformed or short answer is asked again with the error (0 to 10); what is good in it is kept."""

    max_failed: float = Field(0.01, ge=0, le=1)
    """Share of rows whose requests may fail for good (0 to 1); above it the run gives up (exit code 13) and keeps
    the answers paid for."""

    on_budget: Literal["continue", "fail"] = "continue"
    """When the budget is spent: `continue` with what there is, or `fail` (exit code 14); paid answers are kept."""

    budget: Budget = Budget()
    """Hard limits of this stage alone, over all tries of one dataset."""

    limits: Budget = Budget()
    """Hard limits of the whole run of a recipe, over all its stages; a recipe sets them under its own `limits`."""

    price: Price | None = None
    """Price of the model; null leaves the money spent unknown, never guessed."""

    transport: Literal["live", "batch"] = Field("live", json_schema_extra=RUNTIME)
    """`live` asks one by one; `batch` by the Batch API of OpenAI and a few others, within a day and often at half the
    price. `price` is then the price of a batch's tokens."""

    batch_lines: int = Field(10_000, ge=1, le=50_000, json_schema_extra=RUNTIME)
    """Requests in one batch at most, and rows in memory at once (1 to 50,000; batch only)."""

    batch_poll: float = Field(30, gt=0, le=3_600, json_schema_extra=RUNTIME)
    """Time between looks at a batch (seconds; batch only)."""

    concurrency: int = Field(4, ge=1, le=4_096, json_schema_extra=RUNTIME)
    """Requests under way at once (1 to 4,096)."""

    timeout: float = Field(120, gt=0, le=3_600, json_schema_extra=RUNTIME)
    """Longest wait for one answer (seconds)."""

    backoff: float = Field(0.5, gt=0, le=60, json_schema_extra=RUNTIME)
    """First wait after trouble that names no Retry-After (seconds); doubles with each try, 60 at most."""

    patience: float = Field(300, gt=0, le=86_400, json_schema_extra=RUNTIME)
    """Longest time in which nothing at all is answered before the run gives up (seconds; exit code 13).
    In batch mode it is borne only while the server is in trouble, not while it works."""

    @property
    def endpoint(self) -> Endpoint:
        """The model that is asked where nothing else is said."""
        return Endpoint(model=self.model, base_url=self.base_url, price=self.price, key=self.key)

    def stand_ins(self, model: str) -> list[Endpoint]:
        """Who is asked, in this order, where that model gives up."""
        return self.fallbacks


def key_names(value: Any) -> set[str]:
    """The environment variables in which the servers that a config names find their keys."""
    return {found.key for found in _endpoints(value) if found.key}


def servers(value: Any) -> set[str]:
    """The servers that a config or a recipe names."""
    return {origin(found.base_url) for found in _endpoints(value) if found.base_url}


def origin(address: str) -> str:
    """Who answers at an address: scheme, host and port in lower case."""
    scheme, _, rest = address.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}".lower()


def _endpoints(value: Any) -> "Iterator[Endpoint | LlmConfig]":
    if isinstance(value, Endpoint | LlmConfig):
        yield value
    if isinstance(value, Config):
        value = [getattr(value, name) for name in type(value).model_fields]
    for item in value if isinstance(value, list | tuple) else []:
        yield from _endpoints(item)
