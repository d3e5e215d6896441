"""The leanest server of the protocol that is honest, for benchmarks: one canned answer, after a fixed latency.

    python lean_llm_server.py SECONDS

Prints its port, then serves until standard input ends; then prints, as JSON, the requests it answered, the most that
were under way at once, and its CPU seconds. Standard library only, so that every peer's Python can run beside it.
"""

import asyncio
import json
import re
import sys
import time

LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
PAIRS = [
    {
        "instruction": f"How should answer number {n} that was paid for be stored?",
        "answer": f"Answer {n} is kept as soon as it comes, so that none is ever paid twice.",
    }
    for n in range(5)
]
PROMPT_TOKENS, COMPLETION_TOKENS = 600, 250
BODY = json.dumps(
    {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 0,
        "model": "bench",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": json.dumps({"pairs": PAIRS}), "refusal": None},
                "finish_reason": "stop",
                "logprobs": None,
            }
        ],
        "usage": {
            "prompt_tokens": PROMPT_TOKENS,
            "completion_tokens": COMPLETION_TOKENS,
            "total_tokens": PROMPT_TOKENS + COMPLETION_TOKENS,
        },
    }
).encode()
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Connection(asyncio.Protocol):
    """One connection; requests on it come one after another."""

    latency = 0.0
    answered = under_way = most = 0

    def connection_made(self, transport):
        self.transport, self.buffer = transport, b""

    def data_received(self, data):
        self.buffer += data
        head, found, body = self.buffer.partition(b"\r\n\r\n")
        length = LENGTH.search(head)
        if not found or length is None or len(body) < int(length.group(1)):
            return
        self.buffer = b""
        Connection.under_way += 1
        Connection.most = max(Connection.most, Connection.under_way)
        asyncio.get_running_loop().call_later(self.latency, self.answer)

    def answer(self):
        Connection.under_way -= 1
        Connection.answered += 1
        if not self.transport.is_closing():
            self.transport.write(ANSWER)


async def serve(latency):
    Connection.latency = latency
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    figures = {"answered": Connection.answered, "most": Connection.most, "cpu": time.process_time()}
    print(json.dumps(figures), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(float(sys.argv[1])))
