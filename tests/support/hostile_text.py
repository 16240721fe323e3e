"""What a model may write to become more than text, and a run that holds it in every field."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evalkit.tests.support.run_builder import build_run, sample_row

_ATTACK = "window.attacked=1"

HOSTILE: tuple[str, ...] = (
    f"<script>{_ATTACK}</script>",
    f"</script><script>{_ATTACK}</script>",
    f"</SCRIPT\t><ScRiPt >{_ATTACK}</ScRiPt\n>",
    f"<!--<script>{_ATTACK}",
    f"--><script>{_ATTACK}</script>",
    f"<![CDATA[<script>{_ATTACK}</script>]]>",
    f"<img src=x onerror={_ATTACK}>",
    f'"><img src=x onerror="{_ATTACK}">',
    f"' onmouseover='{_ATTACK}' autofocus onfocus='{_ATTACK}' x='",
    f'" onclick="{_ATTACK}" style="position:fixed;inset:0" data-x="',
    f"` onload=`{_ATTACK}",
    f"<svg onload={_ATTACK}>",
    f"<svg><script>{_ATTACK}</script></svg>",
    f"<svg><animate onbegin={_ATTACK} attributeName=x dur=1s>",
    f"<math><mtext><script>{_ATTACK}</script></mtext></math>",
    f'<math href="javascript:{_ATTACK}">x</math>',
    f"\\text{{<script>{_ATTACK}</script>}}",
    f"\\href{{javascript:{_ATTACK}}}{{x}}",
    f'<a href="javascript:{_ATTACK}">x</a>',
    f"javascript:{_ATTACK}",
    f"[x](javascript:{_ATTACK})",
    f"data:text/html,<script>{_ATTACK}</script>",
    f'<iframe srcdoc="<script>parent.{_ATTACK}</script>"></iframe>',
    f'<object data="javascript:{_ATTACK}"></object>',
    f'<embed src="javascript:{_ATTACK}">',
    f'<form action="javascript:{_ATTACK}"><input type=submit autofocus></form>',
    f"<body onload={_ATTACK}>",
    f"<details open ontoggle={_ATTACK}>x</details>",
    f"<video><source onerror={_ATTACK}></video>",
    f"<template><script>{_ATTACK}</script></template>",
    f'<noscript><p title="</noscript><img src=x onerror={_ATTACK}>">',
    f"</title><script>{_ATTACK}</script>",
    f"</style><script>{_ATTACK}</script>",
    f"</textarea></select></option><script>{_ATTACK}</script>",
    "<base href=https://example.invalid/>",
    '<meta http-equiv="refresh" content="0;url=https://example.invalid/">',
    '<link rel=stylesheet href="https://example.invalid/x.css">',
    "<style>*{display:none}</style>",
    "</style>*{background:url(https://example.invalid/)}",
    "<plaintext>",
    "<xmp>",
    "</body></html>",
    "&lt;script&gt;&#60;script&#62;&amp;lt;",
    "&#x202e;&#0;&NotAnEntity;",
    "{{ 7 * 7 }}{% for x in y %}{{ config }}",
    "${window.attacked=1}{0}{shown}{__class__}",
    "%s%n%(x)s",
    '\\"};window.attacked=1;//',
    "';window.attacked=1;//",
    "\u2028window.attacked=1\u2029",
    "абв\u202eгде\u202cжзи",
    "\u2066\u2067\u2068\u2069\u061c\u200e\u200f",
    "\u202d\u202e" * 500,
    "a\u200bb\u200cc\u200dd\ufeffe\u00adf\u2060g",
    "NUL\x00NUL\x01\x02\x1b[31mred\x1b[0m\x7f\x9f",
    "\r\r\n\x0b\x0c\x85",
    "lone \ud800 and \udc00 and \udfff\ud800",
    "\U000e0001\U000e0041\U000e007f tags",
    "e" + "\u0301" * 2000,
    "مرحبا <b>שלום</b> мир",
    "__proto__",
    "constructor",
    "../../../../etc/passwd",
    "#ruifeval/1000/../%00%2e%2e?x=<script>",
    "%E0%A4%A",
    "=cmd|' /C calc'!A0",
    "[" * 20_000,
    "<" * 20_000,
    "\n" * 20_000,
    "а" * 1_000_000,
    "",
    " ",
)


def hostile_run(directory: Path, texts: Sequence[str]) -> Path:
    """Write a run with one sample a text, which is its prompt, its answer, its reason and part of its names."""
    rows = []
    for index, text in enumerate(texts):
        short = text[:100]
        verdicts = [
            {"id": f"group{index % 3}:{short}", "strict": index % 2 == 0, "loose": True, "reason": text[:5000]}
        ]
        row = sample_row(f"{index}{short}", text, text, verdicts, metadata={short: [text[:200], {short: None}]})
        row["score"]["explanation"] = text[:5000]
        row["completion"]["reasoning"] = text[:5000]
        row["completion"]["finish_reason"] = short
        rows.append(row)
    named = texts[0]
    return build_run(
        directory,
        rows,
        model=named,
        title=f"{named} {texts[7]}",
        settings={short: text[:200] for text in texts if (short := text[:50])},
        manifest={
            "command": " ".join(text[:60] for text in texts),
            "started": texts[2],
            "packages": {texts[9]: texts[8]},
        },
    )
