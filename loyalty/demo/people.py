"""Invented people for real purchase histories: the same household always gets the same person."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

from django.conf import settings

GIVEN = tuple(
    """
    Aisha Amara Ben Carla Chen Daniel Diego Elena Emeka Eva Farid Fiona Grace Hana Hassan
    Ines Ivan Jamal Jonas Julia Kai Karim Lara Leo Li Lucia Luis Malik Maria Mei Mina Nadia
    Nikos Noah Nora Omar Oscar Paul Priya Rafael Rosa Ruth Samir Sara Sofia Tariq Theo Uma
    Vera Wei Yara Yusuf Zoe
    """.split()
)
FAMILY = tuple(
    """
    Abbott Adeyemi Ahmad Alvarez Bauer Becker Brandt Castillo Chan Costa Dimitriou Duarte
    Edwards Evans Farah Ferreira Fischer Garcia Gomez Haddad Hansen Ibrahim Jansen Kaur
    Keller Khan Kim Kowalski Larsen Lee Lim Lopez Marino Mbeki Mendez Moreau Nakamura Ng
    Novak Okafor Olsen Papadakis Park Patel Pereira Petrov Quinn Rahman Reyes Rossi Santos
    Schmidt Silva Singh Sato Tan Torres Ueda Vargas Walsh Weber Wong Yilmaz Young Zhang
    """.split()
)
AREAS = tuple(
    """
    202 206 212 213 215 216 303 305 312 313 314 323 404 408 412 414 415 502 503 504 512 513
    602 612 614 615 617 619 702 704 713 716 718 801 804 808 816 901 904 916
    """.split()
)


@dataclass(frozen=True, slots=True)
class Person:
    number: str
    given_name: str
    family_name: str
    email: str
    phone: str
    birthday: dt.date


# Whom the start-up message invites to sign in as: a household that shops often, up to the last day.
GUIDE_HOUSEHOLD = 1609


def person_of(household: int) -> Person:
    """Stable for a household, different between households; numbers reserved for fiction."""
    chance = random.Random(household)
    given, family = chance.choice(GIVEN), chance.choice(FAMILY)
    email = f"{given}.{family}.{household}@example.com".lower()
    birthday = dt.date(1940, 1, 1) + dt.timedelta(days=chance.randrange(62 * 365))
    area, line = AREAS[household // 100 % len(AREAS)], household % 100
    if household == GUIDE_HOUSEHOLD:
        given, family, email = "Olivia", "Hart", settings.SETIA_DEMO_CUSTOMER
    return Person(f"H{household:05d}", given, family, email, f"+1{area}55501{line:02d}", birthday)
