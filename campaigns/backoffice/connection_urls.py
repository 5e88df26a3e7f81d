from __future__ import annotations

from django.urls import path

from campaigns.backoffice import connection_histories, connection_mappings, connections, messages_in

app_name = "connections"

CONNECTION = "settings/connections/<uuid:public_id>/"
MESSAGE = "operations/came-in/<uuid:public_id>/"

urlpatterns = [
    path("settings/connections/", connections.connection_list, name="connection_list"),
    path("settings/connections/new/", connections.connection_create, name="connection_create"),
    path(CONNECTION, connections.connection, name="connection"),
    path(f"{CONNECTION}edit/", connections.connection_edit, name="connection_edit"),
    path(f"{CONNECTION}secret/", connections.connection_secret, name="connection_secret"),
    path(f"{CONNECTION}switch/", connections.connection_switch, name="connection_switch"),
    path(f"{CONNECTION}replay/", connections.connection_replay, name="connection_replay"),
    path(f"{CONNECTION}delete/", connections.connection_delete, name="connection_delete"),
    path(
        f"{CONNECTION}mapping/", connection_mappings.connection_mapping, name="connection_mapping"
    ),
    path(f"{CONNECTION}file/", connection_mappings.connection_file, name="connection_file"),
    path(
        f"{CONNECTION}history/", connection_histories.connection_history, name="connection_history"
    ),
    path(f"{CONNECTION}export/", connection_histories.connection_export, name="connection_export"),
    path("home/connections/", connections.home_panel, name="home_panel"),
    path("operations/came-in/", messages_in.message_list, name="message_list"),
    path(MESSAGE, messages_in.message, name="message"),
    path(f"{MESSAGE}replay/", messages_in.message_replay, name="message_replay"),
]
