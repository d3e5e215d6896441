"""Other clients against a server, run by bench_llm_concurrency.py in their own Python.

    python llm_peers.py NAME URL CONCURRENCY NUMBER FOLDER      prints, as JSON, wall and CPU seconds

`threads` and `async` need openai; `distilabel` needs distilabel[openai]==1.5.3 and requests; `curator` needs
bespokelabs-curator==0.1.31. Each sends NUMBER different prompts of some 1,700 characters as its users would and holds
the answers in memory (distilabel and curator: where they keep theirs); none checks them. Imports do not count.
"""

import asyncio
import json
import os
import resource
import sys
import time
from concurrent.futures import ThreadPoolExecutor

SYSTEM = "You write training data. Answer with one JSON object and nothing else."
TEXT = "The passage says, at some length, how paid answers are stored before anyone reads them. " * 19
ASKED = {"model": "bench", "temperature": 0.7, "max_tokens": 1_200, "seed": 0}


def prompts(number):
    return [f"Write 5 pairs about passage {n}.\n{TEXT}" for n in range(number)]


def messages(prompt):
    return [{"role": "system", "content": SYSTEM}, {"role": "user", "content": prompt}]


def threads(url, concurrency, number, folder):
    import openai

    client = openai.OpenAI(base_url=url, api_key="none-needed", max_retries=0)

    def ask(prompt):
        return client.chat.completions.create(messages=messages(prompt), **ASKED).choices[0].message.content

    def run():
        with ThreadPoolExecutor(concurrency) as pool:
            return len(list(pool.map(ask, prompts(number))))

    return run


def asynchronous(url, concurrency, number, folder):
    import openai

    async def everything():
        gate = asyncio.Semaphore(concurrency)
        async with openai.AsyncOpenAI(base_url=url, api_key="none-needed", max_retries=0) as client:

            async def ask(prompt):
                async with gate:
                    return await client.chat.completions.create(messages=messages(prompt), **ASKED)

            return len(await asyncio.gather(*map(ask, prompts(number))))

    return lambda: asyncio.run(everything())


def distilabel(url, concurrency, number, folder):
    from distilabel.models import OpenAILLM
    from distilabel.pipeline import Pipeline
    from distilabel.steps import LoadDataFromDicts
    from distilabel.steps.tasks import TextGeneration

    with Pipeline(name="bench", cache_dir=folder) as pipeline:
        rows = LoadDataFromDicts(
            data=[{"instruction": prompt, "system_prompt": SYSTEM} for prompt in prompts(number)],
            batch_size=concurrency,
        )
        llm = OpenAILLM(
            model="bench",
            base_url=url,
            api_key="none-needed",
            generation_kwargs={"temperature": 0.7, "max_new_tokens": 1_200},
        )
        rows >> TextGeneration(llm=llm, input_batch_size=concurrency)

    return lambda: len(pipeline.run(use_cache=False)["default"]["train"])


def curator(url, concurrency, number, folder):
    os.environ |= {"CURATOR_CACHE_DIR": folder, "TELEMETRY_ENABLED": "0", "CURATOR_DISABLE_RICH_DISPLAY": "1"}
    os.environ["OPENAI_API_KEY"] = "none-needed"
    import litellm

    os.environ["TIKTOKEN_CACHE_DIR"] = os.path.join(os.path.dirname(litellm.__file__), "litellm_core_utils/tokenizers")
    from bespokelabs import curator as library

    llm = library.LLM(
        model_name="gpt-4o-mini",
        backend="openai",
        system_prompt=SYSTEM,
        generation_params={"temperature": 0.7, "max_tokens": 1_200},
        backend_params={
            "base_url": url,
            "max_concurrent_requests": concurrency,
            "max_requests_per_minute": 10**9,
            "max_tokens_per_minute": 10**12,
        },
    )

    def run():
        made = llm(prompts(number))
        return len(getattr(made, "dataset", made))

    return run


CLIENTS = {"threads": threads, "async": asynchronous, "distilabel": distilabel, "curator": curator}


def cpu_seconds():
    """Of this process and of the children that it waited for."""
    both = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return sum(usage.ru_utime + usage.ru_stime for usage in both)


def main():
    name, url, concurrency, number, folder = sys.argv[1:]
    run = CLIENTS[name](url, int(concurrency), int(number), folder)
    wall, cpu = time.monotonic(), cpu_seconds()
    answered = run()
    wall, cpu = time.monotonic() - wall, cpu_seconds() - cpu
    assert answered == int(number), f"{answered} of {number}"
    print("\n" + json.dumps({"wall": wall, "cpu": cpu}))


if __name__ == "__main__":
    main()
