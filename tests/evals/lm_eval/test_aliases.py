"""lm-eval's command lines in evalkit's words."""

from __future__ import annotations

import shlex

import pytest
from evalkit.errors import UsageError
from evalkit.evals.lm_eval.aliases import translate
from hypothesis import given
from hypothesis import strategies as st


def own() -> tuple[str, ...]:
    return ("ruifeval", "ruifeval-mini")


def translated(command: str) -> str:
    return shlex.join(translate(shlex.split(command), own).arguments)


COMMANDS = """
--model hf --model_args pretrained=org/model,dtype=torch.float32 --tasks xwinograd_ru --device cpu
--model hf:org/model,dtype=float32,device=cpu,truncate_prompt=true,chat_template=plain --tasks lm_eval:xwinograd_ru

-M hf -a pretrained=X peft=adapter attn_implementation=sdpa -t a b,ruifeval -f 2 -b 8 -L 10.0 -s
--model hf:X+lora:adapter,attention=sdpa,batch_size=8,truncate_prompt=true,chat_template=plain \
--tasks lm_eval:a,num_fewshot=2,lm_eval:b,num_fewshot=2,ruifeval --limit 10

--model local-chat-completions --model_args model=x,base_url=http://h:1/v1/chat/completions,num_concurrent=8,\
max_retries=5,tokenized_requests=False --tasks evalkit_ruifeval_mini --apply_chat_template \
--gen_kwargs temperature=0.7,max_gen_toks=256 top_p=0.9 --output_path out/x.json
--model openai:x --tasks ruifeval-mini --base-url http://h:1/v1 --concurrency 8 --temperature 0.7 \
--max-tokens 256 --top-p 0.9 --output out/x

--model=openai-chat-completions --model_args='{"model": "gpt", "timeout": 60}' -t gsm8k -o runs/x
--model openai:gpt --tasks lm_eval:gsm8k --timeout 60 -o runs/x

--model_args pretrained=X,gguf_file=x.gguf --tasks tasks/own.yaml --batch_size auto:4 --trust_remote_code \
--apply_chat_template --fewshot_as_multiturn false --include_path dir --confirm_run_unsafe_code
--model hf:X/x.gguf,trust_remote_code=true,truncate_prompt=true --tasks lm_eval:tasks/own.yaml,\
apply_chat_template=true,fewshot_as_multiturn=false,include_path=dir,confirm_run_unsafe_code=true

--model vllm --model_args pretrained=X,tensor_parallel_size=2,max_length=4096 -t ruifeval --apply_chat_template
--model vllm:X,tensor_parallel_size=2,context=4096,truncate_prompt=true --tasks ruifeval

-t arc_ru --model embedded --seed 7,1,2,9
--model embedded --tasks lm_eval:arc_ru,fewshot_seed=9 --seed 7

-t arc_ru --model embedded --seed 5
--model embedded --tasks lm_eval:arc_ru,fewshot_seed=5 --seed 5

-t arc_ru --model embedded --seed 0,1234,1234,1234 --epochs 3 --no_report --data ruifeval=F --api_key k
--model embedded --tasks lm_eval:arc_ru --seed 0 --epochs 3 --no-report --data ruifeval=F --api-key k

--model hf:X --model_args dtype=float32 --tasks lm_eval:a,plug.py:b --num_fewshot 1 --gen_kwargs do_sample=False
--model hf:X,dtype=float32 --tasks lm_eval:a,num_fewshot=1,plug.py:b

-t a --model embedded --gen_kwargs do_sample=False,temperature=1 --model_args
--model embedded --tasks lm_eval:a --temperature 0

--model embedded --tasks arc_ru --max_tokens=9 --limit 0.5
--model embedded --tasks arc_ru --max-tokens 9 --limit 0.5

--help
--help
"""


@pytest.mark.parametrize("pair", COMMANDS.replace("\\\n", "").strip().split("\n\n"))
def test_commands(pair: str) -> None:
    theirs, ours = pair.split("\n")
    assert translated(theirs) == ours


def test_what_is_not_needed_is_said() -> None:
    words = shlex.split(
        "-a pretrained=X -t arc_ru ruifeval -f 2 --log_samples --use_cache here --write_out -v DEBUG"
    )
    translation = translate(words, own)
    assert translation.notes == [
        "--log_samples is not needed: every answer is stored",
        "--use_cache is not needed: every answer is stored, and the same command resumes where it stopped",
        "--verbosity is not needed: --debug shows what went wrong",
        "--write_out is not needed: the report shows every prompt",
        "--num_fewshot is ignored for ruifeval: no few-shot examples available",
        "without --apply_chat_template prompts are bare text, as lm-eval sends them",
    ]
    assert translation.arguments[-2:] == ["--tasks", "lm_eval:arc_ru,num_fewshot=2,ruifeval"]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("--system_instruction Hi", "--system_instruction of lm-eval has no counterpart here"),
        ("-E '{\"a\": [1]}'", "--samples of lm-eval has no counterpart here: --limit selects the first samples"),
        ("-C file.yaml", "--config of lm-eval has no counterpart"),
        ("--model dummy -t a", "--model dummy of lm-eval has no counterpart here: hf, vllm"),
        ("--model local-completions --model_args model=x", "local-completions of lm-eval has no counterpart"),
        ("--model hf --model_args dtype=auto -t a", "--model hf: --model_args needs pretrained=…"),
        ("--model openai-chat-completions -t a", "--model_args needs model=…"),
        ("--model local-chat-completions -a model=x,verify_certificate=False", "certificates are always checked"),
        ("--model local-chat-completions -a model=x,auth_token=k", "auth_token=k .* set OPENAI_API_KEY"),
        (
            "-t a --model embedded --gen_kwargs num_beams=4",
            "--gen_kwargs num_beams=4 of lm-eval has no counterpart",
        ),
        ("-t a --model embedded --gen_kwargs until=[1,2]", r"--gen_kwargs until=\[1,2\]"),
        ("-t a --model embedded -L 0.1", "--limit 0.1: fractions are not supported"),
        ("-t a --model embedded -L many", "--limit many: a number is needed"),
        ("-t a --model embedded --seed None,1,2,3", "'None' is not a whole number"),
        ("-t 'arc_*' --model embedded", r"--tasks arc_\*: patterns are not expanded"),
        ("-t a -a pretrained=X --apply_chat_template tool_use", "expected true or false"),
        ("-t a -a pretrained", "--model_args: 'pretrained' is not key=value"),
        ("-t a -a '{1}'", "--model_args: this is not JSON"),
        ("-t a --model embedded -L", "--limit needs a value"),
    ],
)
def test_what_has_no_counterpart_is_named(command: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        translated(command)


FLAGS = shlex.split(
    "--model --model_args -t --tasks --limit -L --seed --gen_kwargs --num_fewshot -f --apply_chat_template"
    " --batch_size --use_cache --epochs -o --no_report hf pretrained=X a,b 1 true"
)


@given(st.lists(st.sampled_from(FLAGS) | st.text(max_size=12), max_size=10))
def test_any_command_is_translated_or_refused(words: list[str]) -> None:
    try:
        translation = translate(words, own)
    except UsageError:
        return
    assert all(isinstance(word, str) for word in translation.arguments)
