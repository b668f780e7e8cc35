"""The checks of the sections on the network: convolution, dense layers, loss, early stopping."""

from collections.abc import Sequence
from dataclasses import replace

from aquadash.evaluation.records import EpochRecord
from aquadash.training.schedules import EarlyStopping
from aquadash.walkthrough import report
from aquadash.walkthrough.lessons import Verdict, nearly, no_number, read_number, right, wrong
from aquadash.walkthrough.network import lowest_flattened_loss

#: The difference below which two outputs are equal but for rounding.
SAME = 1e-9


def one_convolution(activation: str, pooling: str, difference: float) -> Verdict:
    """Judge whether two convolutions are one, by the arguments and the result of :func:`network.two_layers`."""
    if activation == "none" and pooling == "none" and difference < SAME:
        return right(
            "Yes: with nothing in between, one 4 × 4 filter gives exactly the same as two 2 × 2 filters in a row. A "
            "second layer helps only if something other than adding up comes before it."
        )
    if difference < SAME:
        return nearly(
            "On this picture the difference is 0, but only by chance. Try another picture or other filters, and find "
            "settings with which it is always 0."
        )
    if activation == "none" or pooling == "none":
        return nearly(f"The largest difference is still {difference:.3f}. One thing is left in between; remove it.")
    return wrong(f"The largest difference is {difference:.3f}. Remove what comes between the two convolutions.")


def half_the_network(params: int, whole: int) -> Verdict:
    """Judge whether a network has about half of another's parameters, 47.5 to 52.5 %."""
    fraction = params / whole
    left = f"That leaves {params:,} of {whole:,}, {100 * fraction:.0f} %."
    if abs(fraction - 0.5) <= 0.025:
        return right(
            f"{left} So this layer holds nearly all parameters: each of its units has a weight for each input, and "
            "the flattened image gives it very many inputs."
        )
    if abs(fraction - 0.5) <= 0.08:
        return nearly(f"{left} Close: a little {'less' if fraction > 0.5 else 'more'}.")
    return wrong(f"{left} Which layer in the table has the most? Change that one.")


def floor_of_loss(text: str, *, classes: int) -> Verdict:
    """Judge whether a typed number is the lowest loss with a softmax too many."""
    number = read_number(text)
    if number is None:
        return no_number(text)
    floor, of_report = (lowest_flattened_loss(count) for count in (classes, len(report.CLASSES)))
    if abs(number - floor) <= 0.006:
        return right(
            f"Yes: {floor:.3f}, even for a perfect answer. The report's log goes down to {report.LOG[-1].loss:.4f}. "
            f"With its five classes the lowest is {of_report:.3f}, so Keras must have corrected the mistake."
        )
    if abs(number - floor) <= 0.03:
        return nearly("Close. Move the slider all the way, and read the number with three decimals.")
    return wrong("Move the slider to a perfect answer, and read the second number.")


def stopping_epoch(
    history: Sequence[EpochRecord], *, patience: int, monitor: str = "val_loss", head_epochs: int = 0
) -> tuple[int | None, int]:
    """Return the epoch at which early stopping would have ended a training, or None, and the best epoch until then.

    Patience begins after the ``head_epochs``, in which a new head learns alone.
    """
    rule = EarlyStopping(patience, monitor)
    for record in history:
        rule = rule.after(record.epoch, getattr(record, monitor))
        if record.epoch <= head_epochs:
            rule = replace(rule, wait=0)
        if rule.should_stop:
            return record.epoch, rule.best_epoch
    return None, rule.best_epoch


def log_patience(answer: int) -> Verdict:
    """Judge whether this patience ends the report's log after its last epoch."""
    stops, best = stopping_epoch(report.LOG, patience=answer)
    last = report.LOG[-1].epoch
    if stops == last:
        return right(
            f"Yes: the lowest validation loss is in epoch {best}, and training stops {answer} epochs later, after "
            f"epoch {last}. So the patience was {answer}, as in the code, not {report.PATIENCE_IN_TEXT}, as in the "
            "text."
        )
    if stops is None:
        return wrong(f"With that patience it would have gone on after epoch {last}, where the log ends. Try less.")
    if last - stops == 1:
        return nearly(f"It would have stopped after epoch {stops}, one too early.")
    return wrong(f"It would have stopped after epoch {stops}, but the log goes on to epoch {last}.")
