"""How the API is described (OpenAPI), as drf-spectacular takes it."""

SETTINGS = {
    "TITLE": "Setia API",
    "DESCRIPTION": "Customers, memberships, orders, balances and programs of one merchant.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # Choices stay where they are used: the same field name has other ones elsewhere.
    "POSTPROCESSING_HOOKS": ["campaigns.api.webhook_schema.add_webhooks"],
    "APPEND_COMPONENTS": {
        "headers": {
            f"RateLimit-{name}": {"description": text, "schema": {"type": "integer"}}
            for name, text in (
                ("Limit", "Requests that this key may make in a minute."),
                ("Remaining", "How many of them are left."),
                ("Reset", "Seconds until the next minute begins."),
            )
        }
    },
}
