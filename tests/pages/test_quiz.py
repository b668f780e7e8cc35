"""The Quiz page: a guess, both answers, the score; and its command."""

import pytest

from aquadash.store import Run, RunStore
from tests.cli.test_cli import answer, refusal
from tests.support.app_pages import address_of, html, open_app_page, words
from tests.support.runs import make_run

pytestmark = pytest.mark.usefixtures("in_shared_home")


@pytest.fixture(scope="module")
def run(shared_store: RunStore) -> Run:
    return make_run(shared_store, "opponent")


def test_a_guess_shows_both_answers_and_the_score_and_next_another_image(run: Run, shared_store: RunStore) -> None:
    app = open_app_page("quiz", run=run.run_id, image="7")
    assert not app.metric and "Network:" not in words(app) and "data-opens" not in html(app)
    predictions = shared_store.predictions(run.run_id)
    true = run.class_names[int(predictions.labels[predictions.indices.tolist().index(7)])]
    app.button(key=f"guess-{true}").click().run()
    assert f"{true}**. You:" in words(app) and "Network:" in words(app) and "data-opens" in html(app)
    assert [(metric.label, metric.value) for metric in app.metric][0] == ("You", "100 %")
    assert app.button(key=f"guess-{true}").disabled
    app.button(key="quiz-next").click().run()
    assert address_of(app, "image") != "7" and "Network:" not in words(app)
    assert len(app.metric) == 2, "the score stays"
    app = open_app_page("quiz", run=run.run_id, image="<b>1</b>")
    assert "the number of a test image" in words(app)


def test_the_command_compares_a_guess_with_the_answer(run: Run, shared_store: RunStore) -> None:
    predictions = shared_store.predictions(run.run_id)
    values = answer("quiz", run.run_id, "3", "otter")
    network = int(predictions.probabilities[predictions.indices.tolist().index(3)].argmax())
    assert values["guess"] == "otter" and values["network"] == run.class_names[network]
    assert values["guess_right"] == (values["true"] == "otter")
    assert "no class called 'cat'" in refusal("quiz", run.run_id, "3", "cat")
    assert "no test image called '999'" in refusal("quiz", run.run_id, "999", "otter")
