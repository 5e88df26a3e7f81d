"""docs/data-model.md is written from the models; every column has its sentence."""

from config.documents.data_model import NAME, PAGE, data_model, missing_sentences, stale_sentences
from config.documents.parts import part_of

WHERE = "say it in config/documents/columns.yaml, then run: manage.py data_model"


def test_every_column_constraint_and_trigger_is_explained() -> None:
    assert missing_sentences() == [], WHERE


def test_no_sentence_is_about_what_is_not_there() -> None:
    assert stale_sentences() == [], WHERE


def test_the_page_is_in_step() -> None:
    assert part_of(PAGE, NAME) == data_model().strip(), "run: manage.py data_model"
