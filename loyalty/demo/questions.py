"""What the demonstration's people are asked about themselves, and what some of them answer."""

from __future__ import annotations

import random

from loyalty.demo.people import GUIDE_HOUSEHOLD, person_of
from members.models import Customer, ProfileQuestion, User
from members.services.audit import SYSTEM, Actor
from members.services.customers import update_customer
from members.services.profile_questions import create_question

LIKES = (
    ("coffee", "Coffee and tea", {"el": "Καφές και τσάι", "ms": "Kopi dan teh",
                                  "zh-hans": "咖啡和茶", "zh-hant": "咖啡和茶"}),
    ("bakery", "Bread and pastry", {"el": "Ψωμί και γλυκά", "ms": "Roti dan pastri",
                                    "zh-hans": "面包和糕点", "zh-hant": "麵包和糕點"}),
    ("cheese", "Cheese", {"el": "Τυριά", "ms": "Keju", "zh-hans": "奶酪", "zh-hant": "起司"}),
    ("produce", "Fruit and vegetables", {"el": "Φρούτα και λαχανικά", "ms": "Buah dan sayur",
                                         "zh-hans": "水果和蔬菜", "zh-hant": "水果和蔬菜"}),
)  # fmt: skip
LIKED = {"el": "Τι σας αρέσει περισσότερο;", "ms": "Apa yang paling anda suka?",
         "zh-hans": "您最喜欢什么？", "zh-hant": "您最喜歡什麼？"}  # fmt: skip
ANSWERING = 60


def people_are_asked() -> None:
    """Once, however often the demonstration is loaded."""
    if ProfileQuestion.objects.exists():
        return
    manager = Actor.of_user(User.objects.get(email__startswith="mia@"))
    texts = {
        language: {"text": text, "choices": {code: words[language] for code, _name, words in LIKES}}
        for language, text in LIKED.items()
    }
    create_question(
        code="favorites", kind="many", text="What do you like best?", texts=texts, actor=manager,
        choices=[{"code": code, "text": name} for code, name, _words in LIKES],
    )  # fmt: skip
    guide = person_of(GUIDE_HOUSEHOLD).number
    people = Customer.objects.filter(merged_into=None).exclude(external_id=None).order_by("pk")
    for customer in {*people[:ANSWERING], *people.filter(external_id=guide)}:
        chance = random.Random(customer.external_id)
        liked = chance.sample([code for code, _name, _words in LIKES], chance.randint(1, 2))
        update_customer(customer=customer, actor=SYSTEM, changes={"answers": {"favorites": liked}})
