"""What the libraries must be told about GPUs and processes before a trainer is made."""

import os
from typing import Any

FSDP = "ACCELERATE_USE_FSDP"


def ready(args: Any) -> None:
    """Make a trainer's arguments mean the processes that the recipe says, and no others.

    One process that sees several GPUs would copy the model to each of them (`DataParallel`), so that a step took as
    many batches as there are GPUs. And accelerate splits weights on GPUs alone: on CPUs it would quietly copy them, so
    they are declared to be of the kind that it splits. DeepSpeed would compile a transport of its own for processes on
    CPUs, for which it wants a compiler and waits without end where another's was cut off; gloo does without.
    """
    args._n_gpu = min(args.n_gpu, 1)
    if args.use_cpu and args.world_size > 1 and os.environ.get(FSDP) == "true":
        from accelerate import PartialState
        from accelerate.utils import DistributedType

        PartialState._shared_state["distributed_type"] = DistributedType.MULTI_GPU
    if args.use_cpu and args.deepspeed_plugin is not None:
        import deepspeed.ops

        deepspeed.ops.__compatible_ops__["deepspeed_shm_comm"] = False
