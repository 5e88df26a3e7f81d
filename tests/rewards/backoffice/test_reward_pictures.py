"""Pictures of rewards, their words in further languages, and mystery gifts, on the screen."""

import io
import struct
import zlib

import pytest
from django.conf import settings
from django.core.files.base import ContentFile
from django.test import Client

from members.errors import DomainError
from members.models import AuditEntry
from members.services.audit import SYSTEM
from rewards.models import Reward
from rewards.selectors.rewards import definition_of
from rewards.services.pictures import set_picture
from rewards.texts import told
from tests.loyalty.backoffice.conftest import Member
from tests.rewards.backoffice.screens import FORM, text, url
from tests.rewards.factories import offer

pytestmark = [
    pytest.mark.django_db, pytest.mark.usefixtures("ana_for_all", "undone_when_refused"),
]  # fmt: skip


@pytest.fixture(autouse=True)
def _own_media(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def png(width: int, height: int, shade: int = 120) -> bytes:
    """A real picture of one color."""
    rows = b"".join(b"\x00" + bytes([shade, 40, 90]) * width for _row in range(height))

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )  # fmt: skip


def upload(content: bytes, name: str = "../../evil.svg") -> io.BytesIO:
    file = io.BytesIO(content)
    file.name = name
    return file


# A file goes once that is committed.
@pytest.mark.django_db(transaction=True)
def test_a_picture_is_shown_wherever_the_reward_is_and_can_be_replaced_and_removed(
    manager: Client, client_of, ana: Member
):
    reward = offer(ana.program)
    address = url("reward_picture", "beans", reward.code)
    assert manager.post(address, {"picture": upload(png(320, 180))}).status_code == 302
    reward.refresh_from_db()
    first = reward.picture.name
    assert first.startswith(f"rewards/{reward.public_id.hex}-")
    shown = Client().get(f"/media/{first}")
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/png")
    assert "immutable" in shown["Cache-Control"]
    assert b"".join(shown.streaming_content) == png(320, 180)
    for page in (url("reward_list", "beans"), url("reward_page", "beans", reward.code)):
        assert f"/media/{first}" in text(manager.get(page))
    manager.post(address, {"picture": upload(png(320, 180, 7))})
    reward.refresh_from_db()
    assert reward.picture.name != first
    assert Client().get(f"/media/{first}").status_code == 404
    assert not reward.picture.storage.exists(first)
    second = reward.picture.name
    manager.post(address, {"remove": "on"})
    reward.refresh_from_db()
    assert not reward.picture
    assert not reward.picture.storage.exists(second)
    assert AuditEntry.objects.filter(action="reward.picture_changed").count() == 3


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<svg onload=alert(1)>", "This is not a PNG, JPEG or WebP picture."),
        (png(20, 200), "The picture must be at least 64 pixels wide and high."),
        (png(5000, 64), "The picture may be at most 4,096 pixels wide and high."),
        (png(64, 64) + b"x" * 600_000, "The file is larger than 512 kB."),
    ],
)
def test_what_cannot_serve_is_refused(manager: Client, ana: Member, content, words):
    reward = offer(ana.program)
    answer = manager.post(url("reward_picture", "beans", reward.code), {"picture": upload(content)})
    assert (answer.status_code, words in text(answer)) == (422, True)
    assert not Reward.objects.get().picture


def test_nothing_else_that_is_kept_is_served(ana: Member):
    reward = offer(ana.program)
    reward.picture.storage.save("rewards/secret.png", ContentFile(png(64, 64)))
    for name in ("secret.png", "..%2Fmerchant%2Flogo.png", "x"):
        assert Client().get(f"/media/rewards/{name}").status_code == 404
    with pytest.raises(DomainError):
        set_picture(reward=reward, upload=ContentFile(b"x"), actor=SYSTEM)


def test_a_copy_has_a_picture_of_its_own(manager: Client, ana: Member):
    reward = offer(ana.program)
    set_picture(reward=reward, upload=ContentFile(png(64, 64)), actor=SYSTEM)
    manager.post(url("reward_duplicate", "beans", reward.code))
    copy = Reward.objects.get(code=f"{reward.code}-2")
    set_picture(reward=reward, upload=None, actor=SYSTEM)
    assert copy.picture.storage.exists(copy.picture.name)


def test_a_reward_is_told_in_further_languages(manager: Client, ana: Member):
    more = {"text_ms_name": "Potongan 5", "text_zh-hans_summary": "下次购物立减"}
    manager.post(url("reward_create", "beans"), FORM | more)
    reward = Reward.objects.get()
    assert reward.texts == {"ms": {"name": "Potongan 5"}, "zh-hans": {"summary": "下次购物立减"}}
    assert told(reward, "ms-MY").name == "Potongan 5"
    assert told(reward, "ms-MY").summary == "Off your next purchase"
    assert told(reward, "zh-CN").summary == "下次购物立减"
    assert told(reward, "zh-TW").summary == "Off your next purchase"
    assert told(reward, "fr").name == told(reward, "").name == "5 off"
    page = text(manager.get(url("reward_edit", "beans", reward.code)))
    assert 'value="Potongan 5"' in page
    assert "Malay, Simplified Chinese" in text(manager.get(url("reward_page", "beans", "5-off")))
    too_long = FORM | {"text_el_name": "x" * 81}
    assert manager.post(url("reward_create", "beans"), too_long).status_code == 422
    assert dict(settings.KNOWN_LANGUAGES)["ms"] == "Malay"


def test_a_mystery_gift_is_made_of_other_rewards(manager: Client, ana: Member):
    offer(ana.program, "cup", kind="free_product", skus=["CUP"], name="A cup")
    offer(ana.program, "five", name="5 off")
    form = {name: value for name, value in FORM.items() if name != "amount"}
    form |= {"kind": "mystery", "name": "Surprise"}
    refused = manager.post(url("reward_create", "beans"), form)
    assert "Give at least one of the rewards a weight." in text(refused)
    manager.post(url("reward_create", "beans"), form | {"prize_cup": "1", "prize_five": "4"})
    gift = Reward.objects.get(code="surprise")
    assert definition_of(gift).prizes == {"cup": 1, "five": 4}
    page = text(manager.get(url("reward_page", "beans", "surprise")))
    assert "One of these by chance: 5 off (80%), A cup (20%)." in page
