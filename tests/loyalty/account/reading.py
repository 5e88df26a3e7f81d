"""What customers read on their pages."""

from django.test import Client


def text_of(client: Client, url: str) -> str:
    response = client.get(url)
    assert response.status_code == 200, response.status_code
    return " ".join(response.content.decode().replace("\xa0", " ").split())
