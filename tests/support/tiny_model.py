"""Real language models of a few thousand random weights, in the folders that transformers saves.

The tokenizer knows the words below and any other byte; it adds a BOS to plain text, as Llama's does, and its chat
template writes a BOS too: whoever does both is noticed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

WORDS = (
    "The quick brown fox jumps over the lazy dog. What is the capital of France? Paris is the capital of France. "
    "Съешь же ещё этих мягких французских булок, да выпей чаю. Столица России — Москва. Привет! Как дела? "
    "Зима была снежной, и море замёрзло. Write a poem about the sea and the wind, please. 1 2 3 4 5 6 7 8 9 0\n"
)
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message.role == 'system' and not loop.first %}{{ raise_exception('system comes first') }}{% endif %}"
    "<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% if enable_thinking %}<think>\n{% endif %}{% endif %}"
)
SPECIAL = ["<|bos|>", "<|im_start|>", "<|im_end|>"]
VOCABULARY = 384


def save_tiny_model(
    folder: Path, *, architecture: str = "llama", chat_template: str | None = CHAT_TEMPLATE
) -> Path:
    """Save a random model, always the same one, and its tokenizer; return the folder."""
    import torch
    from transformers import AutoModelForCausalLM

    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = chat_template
    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_config(_config(architecture))
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def tiny_tokenizer() -> Any:
    """Train the tokenizer on the words above."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - 2, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator([WORDS], trainer)
    tokenizer.add_tokens([AddedToken("<think>"), AddedToken("</think>")])
    tokenizer.post_processor = processors.TemplateProcessing(single="<|bos|> $A", special_tokens=[("<|bos|>", 0)])
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=SPECIAL[0], eos_token=SPECIAL[2], pad_token=SPECIAL[2]
    )


def _config(architecture: str) -> Any:
    from transformers import AutoConfig

    common = {"vocab_size": VOCABULARY, "initializer_range": 0.4, "tie_word_embeddings": False}
    modern = common | {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 256,
    }
    own: dict[str, dict[str, Any]] = {
        "gemma3_text": modern | {"sliding_window": 8, "layer_types": ["sliding_attention", "full_attention"]},
        "lfm2": modern | {"layer_types": ["conv", "full_attention"], "block_auto_adjust_ff_dim": False},
        "qwen3_next": modern
        | {"layer_types": ["linear_attention", "full_attention"], "num_experts": 4, "num_experts_per_tok": 2},
        "gpt2": common | {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 256},
        "bloom": common | {"hidden_size": 32, "n_layer": 2, "n_head": 4},
    }
    return AutoConfig.for_model(architecture, **own.get(architecture, modern))
