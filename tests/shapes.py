"""Shapes of models that are public knowledge; nothing of them is loaded."""

import transformers

LLAMA_3_8B = transformers.LlamaConfig(
    vocab_size=128_256,
    hidden_size=4_096,
    intermediate_size=14_336,
    num_hidden_layers=32,
    num_attention_heads=32,
    num_key_value_heads=8,
)
