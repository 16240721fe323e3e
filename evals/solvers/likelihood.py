"""How likely a model finds given texts: the answer to samples with continuations."""

from __future__ import annotations

from ...errors import ModelError
from ...tasks.types import Sample
from ..models.base import LikelihoodModel, RenderingModel


async def measure_likelihoods(sample: Sample, model: LikelihoodModel) -> tuple[tuple[float, bool], ...]:
    """Return the log-likelihoods of a sample's continuations.

    A chat before them goes through the model's template and stands before each context; ``sampling["rolling"]``
    asks for whole texts, however long.

    Raises:
        ModelError: they cannot be computed, or the model has no way to render a chat.
    """
    if sample.sampling.get("rolling"):
        totals = await model.loglikelihood_rolling([text for _, text in sample.continuations])
        return tuple((total, False) for total in totals)
    chat = ""
    if sample.messages:
        if not isinstance(model, RenderingModel):
            raise ModelError(
                "this model gives no log-likelihoods after a chat template: remove apply_chat_template", fatal=True
            )
        chat = model.render(sample.messages)
    return tuple(await model.loglikelihood([(chat + context, text) for context, text in sample.continuations]))
