"""The template components: what they render, what they escape, how slots nest."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django import forms
from django.contrib.auth.models import AnonymousUser
from django.template import Context, RequestContext, Template, TemplateSyntaxError
from django.test import RequestFactory
from django.utils import translation

from members.charts import Chart, Series
from members.components import KeptNode
from members.navigation import Tab
from members.paging import Page
from members.timeline_view import TimelineEntry, WhyStep

NASTY = '<script>alert("1")</script>'
ESCAPED = "&lt;script&gt;"


def render(source: str, **values: Any) -> str:
    return Template("{% load setia formats %}" + source).render(Context(values))


def render_for(path: str, source: str, **values: Any) -> str:
    request = RequestFactory().get(path)
    request.user = AnonymousUser()
    template = Template("{% load setia formats %}" + source)
    context = Context({"request": request, **values})
    return template.render(context)


class ColorForm(forms.Form):
    name = forms.CharField(help_text="As on the card.")
    size = forms.ChoiceField(choices=[("s", "Small"), ("l", "Large")], widget=forms.RadioSelect)
    agreed = forms.BooleanField(required=False)
    token = forms.CharField(widget=forms.HiddenInput)


def test_every_text_parameter_is_escaped() -> None:
    sources = [
        "{% badge text %}",
        "{% status text %}",
        "{% stat text text unit=text sub=text trend=1 trend_label=text %}",
        "{% page_header text summary=text %}{% endpage_header %}",
        "{% panel title=text %}{% endpanel %}",
        "{% lazy_panel text '/x/' 'id' %}",
        "{% empty_state title=text text=text action_label=text %}{% endempty_state %}",
        "{% alert title=text text=text %}{% endalert %}",
        "{% kv %}{% kv_row text %}{{ text }}{% endkv_row %}{% endkv %}",
        "{% progress 1 label=text rate=text time_left=text %}",
        "{% confirm_button text '/x/' text text=text confirm=text %}",
        "{% search_option '/x/' text sub=text badge=text %}",
        "{% menu text text=text %}{% endmenu %}",
        "{% table caption=text %}{% endtable %}",
        "{% th text %}",
        "{% icon 'user' label=text %}",
        "{% avatar text %}{{ text }}",
    ]
    for source in sources:
        html = render(source, text=NASTY)
        assert "<script>alert" not in html, source
        assert ESCAPED in html or "&lt;SCRIPT" in html or "&lt;Script" in html, source


def test_markup_in_a_body_stays_markup() -> None:
    html = render("{% panel title='Wallet' %}<b>12</b>{% endpanel %}")
    assert "<b>12</b>" in html


def test_a_slot_is_put_in_its_place_and_not_into_the_body() -> None:
    html = render(
        "{% panel title='Wallet' %}{% slot 'actions' %}<a>Edit</a>{% endslot %}Body{% endpanel %}"
    )
    head, body = html.split("panel-body")
    assert "<a>Edit</a>" in head
    assert "Edit" not in body


def test_slots_of_nested_components_do_not_mix() -> None:
    html = render(
        "{% panel title='Outer' %}{% slot 'actions' %}outer action{% endslot %}"
        "{% panel title='Inner' %}inner body{% endpanel %}{% endpanel %}"
    )
    assert html.count("outer action") == 1
    assert html.index("outer action") < html.index("Inner")


def test_a_slot_may_depend_on_a_condition() -> None:
    source = (
        "{% panel title='Wallet' %}{% if may %}{% slot 'actions' %}Edit{% endslot %}{% endif %}"
        "{% endpanel %}"
    )
    assert "Edit" in render(source, may=True)
    assert "Edit" not in render(source, may=False)


def test_a_slot_outside_a_component_is_an_error() -> None:
    with pytest.raises(TemplateSyntaxError):
        render("{% slot 'actions' %}Edit{% endslot %}")


def test_a_misspelled_parameter_is_an_error() -> None:
    with pytest.raises(TemplateSyntaxError):
        render("{% panel titel='Wallet' %}{% endpanel %}")


def test_an_unknown_icon_is_an_error() -> None:
    with pytest.raises(LookupError):
        render("{% icon 'no-such-icon' %}")
    with pytest.raises(LookupError):
        render("{% icon '../outline/user' %}")


def test_an_icon_without_a_label_is_hidden_from_readers() -> None:
    assert 'aria-hidden="true"' in render("{% icon 'user' %}")
    assert 'aria-label="Person"' in render("{% icon 'user' label='Person' %}")


def test_a_field_is_tied_to_its_help_and_its_errors() -> None:
    form = ColorForm({"name": ""})
    html = render("{% field form.name %}", form=form)
    assert 'aria-describedby="id_name_errors id_name_help"' in html
    assert 'aria-invalid="true"' in html
    assert 'id="id_name_errors"' in html
    assert 'id="id_name_help"' in html
    assert 'for="id_name"' in html


def test_a_field_that_is_asked_at_times_is_not_called_optional() -> None:
    form = ColorForm()
    form.fields["name"].required = False
    assert "form-optional" in render("{% field form.name %}", form=form)
    form.fields["name"].conditional = True  # type: ignore[attr-defined]
    assert "form-optional" not in render("{% field form.name %}", form=form)


def test_choices_are_a_group_with_a_legend() -> None:
    html = render("{% field form.size %}", form=ColorForm({"size": "l"}))
    assert "<legend" in html
    assert html.count('type="radio"') == 2
    assert html.count(" checked") == 1


def test_a_form_names_what_is_wrong_and_links_there() -> None:
    html = render_for("/x/?a=1", "{% form form submit='Send' %}{% endform %}", form=ColorForm({}))
    assert 'href="#id_name"' in html
    assert "data-focus" in html
    assert html.count("csrfmiddlewaretoken") <= 1
    assert '<input type="hidden" name="token"' in html
    assert "Token: This field is required." in html


def test_an_untouched_form_shows_no_errors() -> None:
    html = render_for("/x/", "{% form form %}{% endform %}", form=ColorForm())
    assert "note-danger" not in html
    assert ">Save</button>" in html


def test_a_sortable_head_keeps_the_filters_and_drops_the_cursor() -> None:
    html = render_for("/list/?q=ada&cursor=abc", "{% th 'Name' sort='name' %}")
    assert 'href="/list/?q=ada&amp;sort=name"' in html


def test_the_head_of_the_current_order_says_so_and_turns_it_round() -> None:
    html = render_for("/list/?sort=name", "{% th 'Name' sort='name' %}")
    assert 'aria-sort="ascending"' in html
    assert "sort=-name" in html
    html = render_for("/list/?sort=-name", "{% th 'Name' sort='name' %}")
    assert 'aria-sort="descending"' in html
    assert 'sort=name"' in html


def test_a_pager_links_to_the_pages_around_it() -> None:
    page: Page[Any] = Page([1], "name", next_cursor="n", previous_cursor="p")
    html = render_for("/list/?q=ada", "{% pager page %}", page=page)
    assert 'href="/list/?q=ada&amp;cursor=n"' in html
    assert 'href="/list/?q=ada&amp;cursor=p"' in html


def test_a_single_page_has_no_pager() -> None:
    assert "<nav" not in render_for("/list/", "{% pager page %}", page=Page([1]))


def test_a_figure_that_falls_is_welcome_when_low_is_good() -> None:
    assert "trend-good" in render("{% stat 'Refunds' 3 trend=-4 trend_good='down' %}")
    assert "trend-bad" in render("{% stat 'Members' 3 trend=-4 %}")
    assert "trend-neutral" in render("{% stat 'Orders' 3 trend=-4 trend_good='none' %}")


def test_progress_polls_only_while_there_is_work() -> None:
    running = render("{% progress 5 total=10 label='Import' poll_url='/job/' %}")
    assert 'hx-get="/job/"' in running
    assert "50%" in running
    done = render("{% progress 10 total=10 label='Import' state='done' poll_url='/job/' %}")
    assert "hx-get" not in done


def test_progress_never_rounds_up_to_a_hundred_percent() -> None:
    assert "99%" in render("{% progress 9999 total=10000 label='Import' %}")


def test_unknown_progress_has_no_value() -> None:
    assert "value=" not in render("{% progress None label='Counting' %}")


def test_a_chart_carries_its_numbers_as_json_and_as_a_table() -> None:
    sample = Chart(
        id="c1",
        title=NASTY,
        labels=["Jan", NASTY],
        series=[Series("Earned", [1200, None])],
        summary="It grew.",
    )
    html = render("{% chart chart %}", chart=sample)
    assert "<script>alert" not in html
    assert 'data-chart="c1" data-chart-values="{&quot;kind&quot;: &quot;line&quot;' in html
    assert '<td class="text-end">1,200</td>' in html
    assert '<td class="text-end">–</td>' in html
    assert "It grew." in html


@pytest.mark.parametrize("values", [[], [None, None], [0, 0]])
def test_a_chart_of_nothing_says_so_and_draws_no_axis(values: list[int | None]) -> None:
    sample = Chart(id="c1", title="Earned", labels=["Jan", "Feb"][: len(values)],
                   series=[Series("Earned", values)], summary="0 Beans in two months.")  # fmt: skip
    html = render("{% chart chart %}", chart=sample)
    assert "Nothing to show yet. 0 Beans in two months." in html
    assert "data-chart" not in html


def test_a_timeline_explains_itself_step_by_step() -> None:
    entry = TimelineEntry(
        icon="shopping-bag",
        title=NASTY,
        moment=datetime(2026, 3, 4, 17, 20, tzinfo=UTC),
        why=[WhyStep("2 Beans a dollar", "86")],
    )
    html = render("{% timeline entries %}", entries=[entry])
    assert "<script>alert" not in html
    assert "<details" in html
    assert "2 Beans a dollar" in html


def test_the_current_tab_is_marked() -> None:
    tabs = [Tab("One", "/1/", current=True), Tab("Two", "/2/", count=3)]
    html = render("{% tabs tabs label='Parts' %}", tabs=tabs)
    assert html.count('aria-current="page"') == 1


def test_initials_come_from_the_first_and_the_last_name() -> None:
    assert ">AW<" in render("{% avatar 'Ada M. Weiß' %}").replace(" ", "")
    assert ">?<" in render("{% avatar '' %}").replace(" ", "")


def test_what_is_kept_is_drawn_once_for_a_language_and_knows_nothing_of_a_page() -> None:
    template = Template(
        "{% load i18n setia %}{% kept %}{{ language }} {{ direction }} {% icon 'star' %}"
        "{% translate 'Balance' %}{{ name }}{{ request.path }}{% endkept %} {{ name }}"
    )

    def drawn(language: str, name: str) -> str:
        with translation.override(language):
            request = RequestFactory().get(f"/{name}/")
            return str(template.render(Context({"name": name, "request": request})))

    english, greek = drawn("en", "Ana"), drawn("el", "Ana")
    assert english.startswith("en ltr <svg")
    assert english.endswith("</svg>Balance Ana")
    assert greek.startswith("el ltr <svg")
    assert "Balance" not in greek
    (kept,) = template.nodelist.get_nodes_by_type(KeptNode)
    assert isinstance(kept, KeptNode)
    before = dict(kept.kept)
    assert drawn("en", "Ben") == english.replace("Ana", "Ben")
    assert kept.kept == before
    assert len(before) == 2


@pytest.mark.django_db
def test_components_work_in_a_page_with_context_processors() -> None:
    request = RequestFactory().get("/")
    request.user = AnonymousUser()
    template = Template("{% load setia %}{% panel title=merchant.name %}{% endpanel %}")
    html = template.render(RequestContext(request))
    assert "<h2" in html


def test_stylesheets_are_those_of_the_page_whichever_was_drawn_before() -> None:
    form = "{%% kept %%}{%% include 'layouts/styles.html' %s %%}{%% endkept %%}"
    of_staff, of_customers = form % "", form % "with for_customers=True"
    for _again in range(2):
        staff, customer = render(of_staff), render(of_customers)
        with translation.override("ar"):
            arabic = render(of_customers)
        assert "css/wizard.css" in staff
        assert "css/wizard.css" not in customer + arabic
        assert "tabler.min.css" in staff
        assert "tabler.min.css" in customer
        assert "tabler.min.css" not in arabic
        assert "tabler.rtl.min.css" in arabic
        assert "css/ground.css" in arabic
