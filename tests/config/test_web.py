"""What the web server forks its processes from."""

import pytest

from config import web


@pytest.mark.parametrize(("arguments", "loaded"), [
    (["--port", "8000"], ["config.wsgi"]),
    # Its processes are to load what was changed.
    (["--port", "8000", "--reload"], []),
])  # fmt: skip
def test_all_is_loaded_beforehand_unless_code_may_change(
    arguments: list[str], loaded: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(web, "import_module", done.append)
    monkeypatch.setattr(web, "entrypoint", lambda: done.append("serves"))
    web.serve(arguments)
    assert done == [*loaded, "serves"]
