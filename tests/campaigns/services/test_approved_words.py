"""WhatsApp takes from businesses only words that it has approved: a message names them, and fills
in their variables in order."""

import json
from urllib.parse import parse_qs

import pytest
from apprise.plugins.gupshup import NotifyGupshup
from apprise.plugins.twilio import NotifyTwilio
from apprise.plugins.whatsapp import NotifyWhatsApp

from campaigns.approved_words import Approved
from campaigns.channels import channel_named
from campaigns.models import Delivery, ShortLink, TemplateVersion
from campaigns.occasions import occasion_named
from campaigns.services.previews import preview_words, send_test
from campaigns.services.templates import Words
from campaigns.short_links import short_url
from members.errors import DomainError
from members.services.audit import SYSTEM
from tests.campaigns.factories import send, states, tell, write
from tests.campaigns.receiver import Receiver
from tests.campaigns.ways import gateway, use, wanting

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("awake")]
SAYS = ("{{ gift }}", "{{#giver}}from {{ giver }}{{/giver}}", "{{ link }}")
GIFT = Approved("gift_2", "en_US", SAYS)
BODY = "You were given {{ gift }}, {{ giver }}. {{ link }}"


@pytest.fixture
def meta(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> Receiver:
    where = f"http://127.0.0.1:{receiver.port}/{{fb_ver}}/{{phone_id}}/messages"
    monkeypatch.setattr(NotifyWhatsApp, "notify_url", where)
    use("whatsapp", "whatsapp://TOKEN@12345/{to}")
    return receiver


def told(approved: Approved | None = GIFT, **values: str) -> Delivery:
    write("gift", "Gift", BODY, channel="whatsapp", approved=approved)
    tell(wanting("whatsapp"), channels=("whatsapp",), **values)
    send()
    return Delivery.objects.get()


def test_meta_is_told_the_name_the_language_and_what_the_variables_say(meta: Receiver) -> None:
    row = told(gift="5 Beans")
    [got] = meta.got
    said = got.message
    assert (said["type"], said["to"]) == ("template", "+60123456789")
    assert said["template"]["name"] == "gift_2"
    assert said["template"]["language"] == {"code": "en_US"}
    [body] = said["template"]["components"]
    short = short_url(ShortLink.objects.get(target=row.message.values["link"]).pk)
    assert [one["text"] for one in body["parameters"]] == ["5 Beans", "from Noah", short]
    assert "text" not in said
    assert states() == [("sent", "")]
    assert row.counts_clicks


def test_a_link_that_is_not_among_what_is_sent_is_not_among_those_that_are_counted(
    meta: Receiver,
) -> None:
    assert not told(Approved("gift_2", "en_US", ("{{ gift }}",))).counts_clicks


def test_a_variable_that_says_nothing_is_a_dash_and_what_has_lines_is_one(meta: Receiver) -> None:
    told(gift="5\n  Beans", giver="")
    parameters = meta.got[0].message["template"]["components"][0]["parameters"]
    assert [one["text"] for one in parameters][:2] == ["5 Beans", "–"]


def test_without_approved_words_the_text_is_sent(meta: Receiver) -> None:
    told(None, gift="5 Beans")
    assert meta.got[0].message["text"]["body"].startswith("You were given 5 Beans")


def test_twilio_is_told_the_content_and_no_text(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = f"http://127.0.0.1:{receiver.port}/Accounts/{{sid}}/Messages.json"
    monkeypatch.setattr(NotifyTwilio, "notify_sms_url", where)
    receiver.answers = (201,)
    use("whatsapp", f"twilio://AC{'a' * 32}:{'b' * 32}@w%3A+15005550006/{{to}}")
    told(Approved("HX12", "en", ("{{ gift }}",)), gift="5 Beans")
    form = parse_qs(receiver.got[0].body.decode())
    assert form["ContentSid"] == ["HX12"]
    assert json.loads(form["ContentVariables"][0]) == {"1": "5 Beans"}
    assert form["To"] == ["whatsapp:+60123456789"]
    assert "Body" not in form


def test_gupshup_and_a_gateway_are_told_them_in_their_shape(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = f"http://127.0.0.1:{receiver.port}/wa/template/msg"
    monkeypatch.setattr(NotifyGupshup, "template_url", where)
    use("whatsapp", "gupshup://App:KEY@15005550006/{to}")
    told(Approved("g-1", "en", ("{{ gift }}", "{{ giver }}")), gift="5 Beans")
    form = parse_qs(receiver.got[0].body.decode())
    assert json.loads(form["template"][0]) == {"id": "g-1", "params": ["5 Beans", "Noah"]}
    use("whatsapp", gateway(receiver))
    tell(wanting("whatsapp", phone="+60123456788"), "two", channels=("whatsapp",))
    send()
    said = receiver.got[1].message
    assert (said["template"], said["language"]) == ("g-1", "en")
    assert len(said["variables"]) == 2
    # They end as they were approved.
    assert "STOP" not in said["message"]


def test_a_provider_that_cannot_be_told_them_sends_nothing_else(receiver: Receiver) -> None:
    use("whatsapp", "whapi://TOKEN@15005550006/{to}")
    told()
    assert states() == [("failed", "not_approved")]
    assert receiver.got == []


@pytest.mark.parametrize(
    ("approved", "field"),
    [(Approved("with space", "en"), "approved_name"), (Approved("", "en"), "approved_name"),
     (Approved("gift", "English please"), "approved_language"),
     (Approved("gift", "en", ("{{ nobody }}",)), "approved_values"),
     (Approved("gift", "en", ("x",) * 21), "approved_values"),
     (Approved("gift", "en", (" ", "x")), "approved_values")],
)  # fmt: skip
def test_what_is_wrong_is_said_at_its_field(approved: Approved, field: str) -> None:
    with pytest.raises(DomainError) as refused:
        write("gift", "Gift", BODY, channel="whatsapp", approved=approved)
    assert {error.field for error in refused.value.errors} == {field}


def test_they_are_kept_with_each_version_and_by_whatsapp_alone() -> None:
    first = write("gift", "Gift", BODY, channel="whatsapp", approved=GIFT)
    assert write("gift", "Gift", BODY, channel="whatsapp", approved=GIFT) == first
    second = write("gift", "Gift", BODY, channel="whatsapp")
    assert (first.number, second.number, second.approved) == (1, 2, {})
    assert Approved.kept(TemplateVersion.objects.get(pk=first.pk).approved) == GIFT
    assert write("gift", "Gift", BODY, channel="sms", approved=GIFT).approved == {}


def test_each_variable_is_kept_as_one_line_so_that_the_editor_reads_as_many() -> None:
    spaced = Approved(" gift_2 ", "en_US\n", (" {{ gift }}", "from\n{{ giver }}", "{{ link }} "))
    kept = write("gift", "Gift", BODY, channel="whatsapp", approved=spaced)
    assert Approved.kept(kept.approved) == Approved(
        "gift_2", "en_US", ("{{ gift }}", "from {{ giver }}", "{{ link }}")
    )


def test_the_preview_and_a_test_say_them_with_samples(meta: Receiver) -> None:
    occasion, way = occasion_named("gift"), channel_named("whatsapp")
    assert occasion is not None
    assert way is not None
    words = Words("Gift", BODY, approved=GIFT)
    shown = preview_words(occasion=occasion, channel=way, locale="en", words=words)
    assert shown.approved is not None
    assert shown.approved.values[0] == occasion.sample["gift"]
    send_test(
        occasion=occasion, channel=way, locale="en", words=words, to="+60123456789", actor=SYSTEM
    )
    assert meta.got[0].message["template"]["name"] == "gift_2"
