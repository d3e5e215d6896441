"""plan, train, export, register: from a published dataset to a registered model; evaluate has a file of its own."""

from typing import Literal, Self

from pydantic import Field, model_validator

from contract.config.base import Config, Source, StageConfig
from contract.config.gpus import Gpu

Template = Literal["alpaca", "chatml", "llama3", "mistral", "phi3", "gemma", "tokenizer", "text"]
Optimizer = Literal["adamw_8bit", "adamw_torch", "paged_adamw_8bit", "adafactor"]
Refusal = Literal["memory", "truncation", "parity", "begin_tokens", "isolation"]
Sharding = Literal["auto", "none", "fsdp", "deepspeed"]


class Lora(Config):
    """Low-rank adapters (Hu et al. 2021)."""

    rank: int = Field(32, ge=1, le=1_024)
    """Rank (1 to 1,024)."""

    alpha: int = Field(32, ge=1, le=4_096)
    """Scale numerator (1 to 4,096)."""

    dropout: float = Field(0.0, ge=0, lt=1)
    """Dropout on the adapter's input (0 to 1)."""

    rslora: bool = False
    """Scale by alpha over the root of the rank, so that high ranks learn as fast as low ones (Kalajdzievski 2023)."""

    dora: bool = False
    """Train each weight's magnitude beside its low-rank direction (DoRA, Liu et al. 2024)."""

    target_modules: list[str] = []
    """Linear layers that get adapters, by the last part of their names (`q_proj`); empty means all but the head."""


class Training(Config):
    """What is trained and how; plan and train read the same values."""

    base_model: str = Field("tiny", min_length=1)
    """`tiny` (a small Llama made from the data, no assistant); a folder (`/`, `./`, `file://` or `s3://` first; `./`
    counts from the store's root); or a hub id `owner/name`, better with a revision: `owner/name@revision`."""

    method: Literal["full", "lora", "qlora"] = "lora"
    """All weights, adapters, or adapters on a 4-bit base."""

    template: Template = "chatml"
    """Chat template; `tokenizer` takes the base model's own. `text` is continued pre-training: the dataset holds
    documents or chunks, every token is learned, and what is longer than `max_length` becomes several rows."""

    pad_token: str = ""
    """Padding token, for base models that name none; empty takes the base model's own or its reserved one."""

    loss_on: Literal["assistant", "everything"] = "assistant"
    """Which tokens are learned."""

    lora: Lora = Lora()
    """Adapter settings, for `lora` and `qlora`."""

    max_length: int = Field(2_048, ge=16, le=1_000_000)
    """Longest sequence (tokens)."""

    packing: bool = True
    """Put several samples into one row, isolated from each other."""

    batch_size: int = Field(2, ge=1, le=1_024)
    """Rows per step and process (1 to 1,024)."""

    accumulation: int = Field(8, ge=1, le=1_024)
    """Steps whose gradients are added up (1 to 1,024), which processes share among them."""

    epochs: float = Field(3, gt=0, le=1_000)
    """Passes over the data."""

    learning_rate: float = Field(3e-4, gt=0, le=1)
    """Peak learning rate (up to 1); `learning_rates` of the recipe go before it."""

    schedule: Literal["linear", "cosine", "constant"] = "linear"
    """How the learning rate falls after warm-up."""

    warmup_steps: int = Field(10, ge=0, le=1_000_000)
    """Steps of linear warm-up."""

    optimizer: Optimizer = "adamw_8bit"
    """Optimizer."""

    weight_decay: float = Field(0.01, ge=0, le=1)
    """Weight decay (0 to 1)."""

    max_grad_norm: float = Field(1.0, gt=0, le=1_000)
    """Gradient norm above which gradients are scaled down."""

    neftune: float = Field(0.0, ge=0, le=1_000)
    """Noise on the embeddings while training (NEFTune's alpha, Jain et al. 2023; 5 to 15 are usual); 0 means none."""

    gradient_checkpointing: Literal["auto", "always", "never"] = "auto"
    """Recompute activations in the backward pass: less memory, about a third more work; `auto` does where the plan
    finds that it would not fit the GPU otherwise."""

    compile: bool = False
    """Compile the model (`torch.compile`): 14 to 27 % faster steps were published for one GPU (Axolotl, torchtune),
    after minutes of compiling; a short training loses by it."""

    early_stopping: int = Field(0, ge=0, le=1_000)
    """Evaluations without a lower test loss after which training stops; the best weights are kept; 0 means never."""

    device: Literal["auto", "cpu", "gpu"] = "auto"
    """Where to compute; `auto` takes a GPU where there is one."""

    cpu_threads: int = Field(2, ge=1, le=256)
    """Threads on a CPU (1 to 256); part of the result, since sums are rounded by how they are split."""

    processes: int = Field(1, ge=1, le=64)
    """Processes that train together, each on a GPU of its own (1 to 64). `accumulation` is a multiple of it, so that an
    update learns from as many rows as with one process."""

    sharding: Sharding = "auto"
    """What the processes split: `none` gives each a whole model; `fsdp` (FSDP2) and `deepspeed` (ZeRO, stage 3) split
    weights, gradients and optimizer; `auto` takes `none` where that fits the GPU, else `fsdp`."""

    seed: int = Field(0, ge=0, le=2**31 - 1)
    """Seed of everything random."""

    @property
    def checkpointing(self) -> bool:
        """Whether gradients are checkpointed; `auto` is not yet, a plan settles it."""
        return self.gradient_checkpointing == "always"

    @model_validator(mode="after")
    def _processes_share_an_update(self) -> Self:
        if self.accumulation % self.processes:
            raise ValueError(
                f"accumulation {self.accumulation} is no multiple of processes {self.processes}: "
                "processes share the steps of an update"
            )
        if self.processes == 1 and self.sharding in ("fsdp", "deepspeed"):
            raise ValueError(f"sharding is {self.sharding!r} but processes is 1: nothing to split")
        return self


class PlanConfig(StageConfig):
    """Sizes before money is spent; refuses with numbers what does not hold."""

    training: Training = Training()
    """What is about to be trained."""

    gpu: Gpu | None = None
    """GPU to plan for, by name; null takes the one present, or none on a CPU."""

    gpu_memory_gb: float | None = Field(None, gt=0, le=10_000)
    """Memory of the GPU to plan for (GB), for one that has no name here; it goes before `gpu`."""

    max_truncated: float = Field(0.05, ge=0, le=1)
    """Largest share of samples longer than `max_length` (0 to 1) before the plan refuses."""

    allow: tuple[Refusal, ...] = ()
    """Refusals to overrule, by name; each is then a warning, and stands in the plan."""

    probe: Literal["gpu", "always", "never"] = "gpu"
    """Whether two real steps are measured, which corrects the estimate: where there is a `gpu`, `always` (on a CPU
    for their time alone), or `never`."""


def check_saves(training: Training, eval_every: int, save_every: int) -> None:
    """With early stopping, what is saved must have been evaluated. Raises `ValueError` with both numbers."""
    if training.early_stopping and save_every % eval_every:
        raise ValueError(
            f"early stopping keeps the best of what was saved: save_every {save_every} "
            f"is no multiple of eval_every {eval_every}"
        )


class TrainConfig(StageConfig):
    """Supervised fine-tuning with TRL's SFTTrainer."""

    training: Training = Training()
    """What is trained and how."""

    eval_every: int = Field(10, ge=1, le=1_000_000)
    """Steps between evaluations on the test split."""

    save_every: int = Field(10, ge=1, le=1_000_000)
    """Steps between checkpoints."""

    @model_validator(mode="after")
    def _best_weights_are_saved(self) -> Self:
        check_saves(self.training, self.eval_every, self.save_every)
        return self


class ChooseConfig(StageConfig):
    """The training of a sweep with the lowest test loss."""


class ExportConfig(StageConfig):
    """Merges the adapter into the base and proves that nothing changed."""

    dtype: Literal["float32", "bfloat16", "float16"] = "bfloat16"
    """Precision of the merged weights."""

    tolerance: float = Field(1e-3, gt=0, le=10)
    """Largest difference of a logit between adapter and merged model, both in float32."""

    shard_gb: float = Field(5.0, gt=0, le=1_000)
    """Largest weight file (GB); a model above it is written as several."""

    adapter: bool = False
    """Also write the unmerged adapter with its tokenizer, for servers that keep many adapters on one base."""

    loss_samples: int = Field(200, ge=1, le=1_000_000)
    """Test samples on which the loss of the exported model is set beside that of the trained one."""

    max_loss_rise: float = Field(0.02, ge=-100, le=100)
    """Largest rise of that loss (nats per token; below 0 it has to fall) before the export is refused; a QLoRA adapter
    was trained on a quantised base and is merged into the whole one."""


class RegisterConfig(StageConfig):
    """Registers the exported model in MLflow, with its lineage."""

    model_name: str = Field("", max_length=250)
    """Name in the registry; empty means the recipe's name."""

    champion: Literal["gate", "approval", "never"] = "gate"
    """Who decides that the model becomes `champion`: the gate of `evaluate`, a person whom Airflow asks once the model
    is registered, or nobody."""

    min_win_rate: float | None = Field(None, ge=0, le=1)
    """The gate also asks that the judge of answers preferred the tuned model in at least this share of pairs by every
    criterion, ties counting half (0 to 1), and brought a verdict on more than half of them; null asks for nothing."""

    approved_by: str = Field("", max_length=250)
    """Who approved the model. Airflow writes it after that person's answer; in a recipe it is refused."""

    hub: str = Field("", max_length=200, pattern=r"^([\w.-]+/[\w.-]+)?$")
    """Repository on the Hugging Face Hub, `owner/name`, that the model is put into when it becomes champion; empty
    means none. The token is HF_TOKEN's."""

    hub_private: bool = True
    """Whether that repository is made a private one."""

    @model_validator(mode="after")
    def _something_reaches_the_hub(self) -> Self:
        if self.hub and self.champion == "never":
            raise ValueError(f"hub is {self.hub!r}, but with champion `never` no model gets there")
        return self


def base_sources(training: Training) -> list[Source]:
    """The base model's folder as a source, so that new weights under an old name are noticed."""
    return [Source(uri=training.base_model)] if is_folder(training.base_model) else []


def is_folder(base_model: str) -> bool:
    """Whether a base model is named by its place, and not by `tiny` or a hub id."""
    return base_model.startswith(("/", "./", "../")) or "://" in base_model
