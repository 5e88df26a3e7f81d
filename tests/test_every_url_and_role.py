"""Every address of the back-office, against everybody who might ask for it.

The table is written by hand: it says who should get in, not what the code does. A new address fails
the first test until it has a line here.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.http import HttpResponseBase
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from members.models import StaffMember, User
from tests.campaigns.factories import make_journey
from tests.campaigns.shops import connect
from tests.campaigns.webhooks import make_endpoint
from tests.factories import (
    ApiKeyFactory,
    CustomerFactory,
    JobFactory,
    StaffMemberFactory,
    UserFactory,
)

PREFIX = "backoffice/"
# The repair pages are Django's own and have a test of their own below.
ELSEWHERE = ("backoffice/repair/",)

ANALYST, AGENT, MARKETING, ADMINISTRATOR = (
    "analyst", "support_agent", "marketing_manager", "administrator",
)  # fmt: skip
EVERYBODY = frozenset({ANALYST, AGENT, MARKETING, ADMINISTRATOR})
NOT_AGENTS = EVERYBODY - {AGENT}
NOT_ANALYSTS = EVERYBODY - {ANALYST}
AGENTS = frozenset({AGENT, ADMINISTRATOR})
MARKETERS = frozenset({MARKETING, ADMINISTRATOR})
ADMINISTRATORS = frozenset({ADMINISTRATOR})

Who = dict[str, frozenset[str]]


def read(roles: frozenset[str]) -> Who:
    return {"GET": roles}


def write(roles: frozenset[str]) -> Who:
    return {"POST": roles}


def form(roles: frozenset[str]) -> Who:
    return read(roles) | write(roles)


TABLE: dict[str, Who] = {
    "backoffice:home": read(EVERYBODY),
    "backoffice:home_newest_customers": read(EVERYBODY),
    "backoffice:search": read(EVERYBODY),
    "backoffice:customer_list": read(EVERYBODY),
    "backoffice:customer_create": form(AGENTS),
    "backoffice:customer": read(EVERYBODY),
    "backoffice:customer_header": read(EVERYBODY),
    "backoffice:customer_edit": form(AGENTS),
    "backoffice:customer_merge": form(AGENTS),
    "backoffice:customer_merge_undo": form(AGENTS),
    "backoffice:customer_identity": read(EVERYBODY),
    "backoffice:customer_notes": read(EVERYBODY) | write(NOT_ANALYSTS),
    "backoffice:customer_timeline": read(EVERYBODY),
    "backoffice:customer_audit": read(EVERYBODY),
    "backoffice:merchant": form(ADMINISTRATORS),
    "backoffice:merchant_preview": read(ADMINISTRATORS),
    "backoffice:team": read(ADMINISTRATORS),
    "backoffice:team_invite": form(ADMINISTRATORS),
    "backoffice:team_role": form(ADMINISTRATORS),
    "backoffice:team_phone": form(ADMINISTRATORS),
    "backoffice:team_remind": write(ADMINISTRATORS),
    "backoffice:team_remove": write(ADMINISTRATORS),
    "backoffice:api_key_list": read(ADMINISTRATORS),
    "backoffice:api_key_create": form(ADMINISTRATORS),
    "backoffice:api_key_revoke": write(ADMINISTRATORS),
    "backoffice:audit_log": read(ADMINISTRATORS),
    "backoffice:segment_list": read(EVERYBODY),
    "backoffice:segment_create": form(MARKETERS),
    "backoffice:segment_preview": write(MARKETERS),
    "backoffice:segment_by_key": read(EVERYBODY),
    "backoffice:segment": read(EVERYBODY),
    "backoffice:segment_edit": form(MARKETERS),
    "backoffice:segment_refresh": write(MARKETERS),
    "backoffice:segment_archive": write(MARKETERS),
    "backoffice:segment_restore": write(MARKETERS),
    "backoffice:segment_load": form(MARKETERS),
    "backoffice:segment_add": form(MARKETERS),
    "backoffice:segment_remove": write(MARKETERS),
    "backoffice:customer_segments": read(EVERYBODY),
    "backoffice:condition_builder": write(EVERYBODY),
    "backoffice:condition_values": read(EVERYBODY),
    "backoffice:job_list": read(EVERYBODY),
    "backoffice:job_start": write(ADMINISTRATORS),
    "backoffice:job": read(EVERYBODY),
    "backoffice:job_progress": read(EVERYBODY),
    "backoffice:job_log": read(EVERYBODY),
    "backoffice:job_cancel": write(MARKETERS),
    "backoffice:job_retry": write(MARKETERS),
    "backoffice:styleguide": read(EVERYBODY),
    "backoffice:styleguide_dialog": form(EVERYBODY),
    "backoffice:styleguide_panel": read(EVERYBODY),
    "rewards_backoffice:storefront": form(ADMINISTRATORS),
    "messages_backoffice:journey_list": read(EVERYBODY),
    "messages_backoffice:journey_create": write(MARKETERS),
    "messages_backoffice:journey": read(EVERYBODY),
    "messages_backoffice:journey_edit": form(MARKETERS),
    "messages_backoffice:journey_people": read(EVERYBODY),
    "messages_backoffice:journey_state": write(MARKETERS),
    "messages_backoffice:journey_step": form(MARKETERS),
    "messages_backoffice:journey_step_move": write(MARKETERS),
    "messages_backoffice:occasion_list": read(EVERYBODY),
    "messages_backoffice:occasion": read(EVERYBODY) | write(MARKETERS),
    "messages_backoffice:language": write(MARKETERS),
    "messages_backoffice:words": read(EVERYBODY) | write(MARKETERS),
    "messages_backoffice:preview": form(EVERYBODY),
    "messages_backoffice:test": write(MARKETERS),
    "messages_backoffice:archive": write(MARKETERS),
    "messages_backoffice:policy": read(EVERYBODY) | write(MARKETERS),
    "messages_backoffice:delivery_list": read(EVERYBODY),
    "messages_backoffice:delivery": read(EVERYBODY),
    "messages_backoffice:again": write(NOT_ANALYSTS),
    "messages_backoffice:message_panel": read(EVERYBODY),
    "messages_backoffice:consents": form(NOT_ANALYSTS),
    "connections:connection_list": read(ADMINISTRATORS),
    "connections:connection_create": form(ADMINISTRATORS),
    "connections:connection": read(ADMINISTRATORS),
    "connections:connection_edit": form(ADMINISTRATORS),
    "connections:connection_secret": form(ADMINISTRATORS),
    "connections:connection_switch": write(ADMINISTRATORS),
    "connections:connection_replay": write(ADMINISTRATORS),
    "connections:connection_delete": write(ADMINISTRATORS),
    "connections:connection_mapping": form(ADMINISTRATORS),
    "connections:connection_file": form(ADMINISTRATORS),
    "connections:connection_history": form(ADMINISTRATORS),
    "connections:connection_export": form(ADMINISTRATORS),
    "connections:home_panel": read(ADMINISTRATORS),
    "connections:message_list": read(ADMINISTRATORS),
    "connections:message": read(ADMINISTRATORS),
    "connections:message_replay": write(ADMINISTRATORS),
    "surveys_backoffice:survey_list": read(EVERYBODY),
    "surveys_backoffice:survey_create": form(MARKETERS),
    "surveys_backoffice:survey": read(EVERYBODY),
    "surveys_backoffice:survey_edit": form(MARKETERS),
    "surveys_backoffice:survey_texts": form(MARKETERS),
    "surveys_backoffice:survey_preview": read(EVERYBODY),
    "surveys_backoffice:survey_act": write(MARKETERS),
    "surveys_backoffice:survey_export": read(EVERYBODY),
    "surveys_backoffice:survey_words": read(EVERYBODY),
    "surveys_backoffice:survey_word_remove": write(MARKETERS),
    "webhooks:endpoint_list": read(ADMINISTRATORS),
    "webhooks:endpoint_create": form(ADMINISTRATORS),
    "webhooks:endpoint": read(ADMINISTRATORS),
    "webhooks:endpoint_edit": form(ADMINISTRATORS),
    "webhooks:endpoint_switch": write(ADMINISTRATORS),
    "webhooks:endpoint_rotate": form(ADMINISTRATORS),
    "webhooks:endpoint_ping": write(ADMINISTRATORS),
    "webhooks:endpoint_replay": form(ADMINISTRATORS),
    "webhooks:endpoint_delete": write(ADMINISTRATORS),
    "webhooks:home_panel": read(ADMINISTRATORS),
    "webhooks:delivery_list": read(ADMINISTRATORS),
    "webhooks:delivery": read(ADMINISTRATORS),
    "webhooks:delivery_replay": write(ADMINISTRATORS),
    "rewards_backoffice:reward_list": read(EVERYBODY),
    "rewards_backoffice:reward_page": read(EVERYBODY),
    "rewards_backoffice:reward_by_id": read(EVERYBODY),
    "rewards_backoffice:reward_create": form(MARKETERS),
    "rewards_backoffice:reward_edit": form(MARKETERS),
    "rewards_backoffice:reward_state": write(MARKETERS),
    "rewards_backoffice:reward_duplicate": write(MARKETERS),
    "rewards_backoffice:reward_move": write(MARKETERS),
    "rewards_backoffice:reward_picture": form(MARKETERS),
    "rewards_backoffice:reward_bulk": form(MARKETERS),
    "rewards_backoffice:shared_code_create": form(MARKETERS),
    "rewards_backoffice:shared_code_stop": write(MARKETERS),
    "rewards_backoffice:reward_preview": read(EVERYBODY),
    "rewards_backoffice:voucher_pool_list": read(EVERYBODY),
    "rewards_backoffice:voucher_pool_create": form(MARKETERS),
    "rewards_backoffice:voucher_pool_fill": form(MARKETERS),
    "rewards_backoffice:voucher_pool_generate": form(MARKETERS),
    "rewards_backoffice:redemption_list": read(EVERYBODY),
    "rewards_backoffice:redemption_panel": read(EVERYBODY),
    "rewards_backoffice:checkout_panel": read(EVERYBODY),
    "rewards_backoffice:checkout_cancel": form(NOT_ANALYSTS),
    "rewards_backoffice:redemption_cancel": form(NOT_ANALYSTS),
    "rewards_backoffice:redemption_reopen": form(NOT_ANALYSTS),
    "rewards_backoffice:redemption_use": form(NOT_ANALYSTS),
    "rewards_backoffice:reward_take": form(NOT_ANALYSTS),
    "rewards_backoffice:reward_give": form(NOT_ANALYSTS),
    "rewards_backoffice:reward_give_many": form(MARKETERS),
    "rewards_backoffice:gift_day_start": form(MARKETERS),
    "rewards_backoffice:gift_day_stop": write(MARKETERS),
    "rewards_backoffice:gift_card_list": read(EVERYBODY),
    "rewards_backoffice:gift_card_page": read(EVERYBODY),
    "rewards_backoffice:gift_card_panel": read(EVERYBODY),
    "rewards_backoffice:gift_card_issue": form(MARKETERS),
    "rewards_backoffice:gift_card_top_up": form(MARKETERS),
    "rewards_backoffice:gift_card_block": form(NOT_ANALYSTS),
    "rewards_backoffice:gift_card_unblock": form(NOT_ANALYSTS),
    "rewards_backoffice:gift_card_replace": form(NOT_ANALYSTS),
    "rewards_backoffice:gift_card_cancel": form(NOT_ANALYSTS),
    "rewards_backoffice:gift_card_forget": form(NOT_ANALYSTS),
    "rewards_backoffice:gift_card_batch_list": read(EVERYBODY),
    "rewards_backoffice:gift_card_batch_create": form(MARKETERS),
    "rewards_backoffice:gift_card_batch_codes": write(MARKETERS),
    "rewards_backoffice:gift_card_batch_forget": write(MARKETERS),
    "rewards_backoffice:task_list": read(EVERYBODY),
    "rewards_backoffice:task_steps": write(NOT_ANALYSTS),
    "rewards_backoffice:task_undo": write(NOT_ANALYSTS),
    "rewards_backoffice:task_csv": read(EVERYBODY),
    "rewards_backoffice:task_labels": read(NOT_ANALYSTS),
    "rewards_backoffice:task_days": form(MARKETERS),
    "rewards_backoffice:task": read(EVERYBODY),
    "rewards_backoffice:task_address": form(NOT_ANALYSTS),
    "rewards_backoffice:task_assign": form(NOT_ANALYSTS),
    "rewards_backoffice:task_advance": form(NOT_ANALYSTS),
    "rewards_backoffice:task_panel": read(EVERYBODY),
    "rewards_backoffice:task_forget": write(NOT_ANALYSTS),
    "rewards_backoffice:task_give": form(NOT_ANALYSTS),
    "rewards_backoffice:event_list": read(EVERYBODY),
    "rewards_backoffice:event_page": read(EVERYBODY),
    "rewards_backoffice:event_create": form(MARKETERS),
    "rewards_backoffice:event_edit": form(MARKETERS),
    "rewards_backoffice:event_state": write(MARKETERS),
    "rewards_backoffice:event_cancel": form(MARKETERS),
    "rewards_backoffice:event_check_in": form(NOT_ANALYSTS),
    "rewards_backoffice:event_no_show": write(NOT_ANALYSTS),
    "rewards_backoffice:content_list": read(EVERYBODY),
    "rewards_backoffice:content_create": form(MARKETERS),
    "rewards_backoffice:content_edit": form(MARKETERS),
    "rewards_backoffice:window_list": read(EVERYBODY),
    "rewards_backoffice:window_create": form(MARKETERS),
    "rewards_backoffice:window_edit": form(MARKETERS),
    "rewards_backoffice:window_archive": write(MARKETERS),
    "loyalty_backoffice:attention_panel": read(EVERYBODY),
    "loyalty_backoffice:figures_panel": read(EVERYBODY),
    "loyalty_backoffice:trend_panel": read(EVERYBODY),
    "loyalty_backoffice:feed_panel": read(EVERYBODY),
    "loyalty_backoffice:wallet_panel": read(EVERYBODY),
    "loyalty_backoffice:movement_panel": read(EVERYBODY),
    "loyalty_backoffice:lot_panel": read(EVERYBODY),
    "loyalty_backoffice:wallet_redeem": form(NOT_ANALYSTS),
    "loyalty_backoffice:wallet_settle": form(MARKETERS),
    "loyalty_backoffice:plan_panel": read(EVERYBODY),
    "loyalty_backoffice:plan_join": form(NOT_ANALYSTS),
    "loyalty_backoffice:subscription_change": form(NOT_ANALYSTS),
    "loyalty_backoffice:subscription_cancel": form(NOT_ANALYSTS),
    "loyalty_backoffice:subscription_resume": write(NOT_ANALYSTS),
    "loyalty_backoffice:invoice_pay": form(NOT_ANALYSTS),
    "loyalty_backoffice:invoice_refund": form(NOT_ANALYSTS),
    "loyalty_backoffice:plan_list": read(EVERYBODY),
    "loyalty_backoffice:plan_new": form(MARKETERS),
    "loyalty_backoffice:plan_edit": form(MARKETERS),
    "loyalty_backoffice:subscriber_list": read(EVERYBODY),
    "loyalty_backoffice:tier_set_page": read(EVERYBODY),
    "loyalty_backoffice:tier_set_edit": form(MARKETERS),
    "loyalty_backoffice:tier_ladder": write(MARKETERS),
    "loyalty_backoffice:tier_draft_publish": form(MARKETERS),
    "loyalty_backoffice:tier_draft_send_back": form(MARKETERS),
    "loyalty_backoffice:tier_draft_discard": form(MARKETERS),
    "loyalty_backoffice:tier_panel": read(EVERYBODY),
    "loyalty_backoffice:tier_give": form(NOT_ANALYSTS),
    "loyalty_backoffice:tier_end": form(NOT_ANALYSTS),
    "loyalty_backoffice:tier_falls": read(EVERYBODY),
    "loyalty_backoffice:tier_falls_csv": read(EVERYBODY),
    "loyalty_backoffice:lot_extend": form(NOT_ANALYSTS),
    "loyalty_backoffice:units_reinstate": form(NOT_ANALYSTS),
    "loyalty_backoffice:order_panel": read(EVERYBODY),
    "loyalty_backoffice:order_page": read(EVERYBODY),
    "loyalty_backoffice:order_hold": form(NOT_ANALYSTS),
    "loyalty_backoffice:order_release": form(NOT_ANALYSTS),
    "loyalty_backoffice:order_confirm": form(NOT_ANALYSTS),
    "loyalty_backoffice:order_refund": read(EVERYBODY) | write(NOT_ANALYSTS),
    "loyalty_backoffice:customer_past": read(EVERYBODY),
    "loyalty_backoffice:wallet_lots": read(EVERYBODY),
    "loyalty_backoffice:order_claim": form(AGENTS),
    "loyalty_backoffice:order_unclaim": form(AGENTS),
    "loyalty_backoffice:enroll": form(AGENTS),
    "loyalty_backoffice:membership_suspension": form(AGENTS),
    "loyalty_backoffice:customer_adjust": form(NOT_ANALYSTS),
    "loyalty_backoffice:wallet_adjust": form(NOT_ANALYSTS),
    "loyalty_backoffice:wallet_adjust_preview": read(NOT_ANALYSTS),
    "loyalty_backoffice:redemption_undo": form(NOT_ANALYSTS),
    "loyalty_backoffice:transfer_undo": form(NOT_ANALYSTS),
    "loyalty_backoffice:customer_give": form(NOT_ANALYSTS),
    "loyalty_backoffice:wallet_give": form(NOT_ANALYSTS),
    "loyalty_backoffice:wallet_give_preview": read(NOT_ANALYSTS),
    "loyalty_backoffice:gift_undo": form(NOT_ANALYSTS),
    "loyalty_backoffice:occasion_undo": form(NOT_ANALYSTS),
    "loyalty_backoffice:pool_panel": read(EVERYBODY),
    "loyalty_backoffice:activity_panel": read(EVERYBODY),
    "loyalty_backoffice:activity": read(EVERYBODY) | write(NOT_ANALYSTS),
    "loyalty_backoffice:activity_reject": form(NOT_ANALYSTS),
    "loyalty_backoffice:activity_reverse": form(NOT_ANALYSTS),
    "loyalty_backoffice:activity_type_list": read(MARKETERS),
    "loyalty_backoffice:activity_type_create": form(MARKETERS),
    "loyalty_backoffice:activity_type_edit": form(MARKETERS),
    "loyalty_backoffice:pool_list": read(EVERYBODY),
    "loyalty_backoffice:pool_page": read(EVERYBODY),
    "loyalty_backoffice:company_list": read(EVERYBODY),
    "loyalty_backoffice:company_page": read(EVERYBODY),
    "loyalty_backoffice:company_orders": read(EVERYBODY),
    "loyalty_backoffice:company_create": form(NOT_ANALYSTS),
    "loyalty_backoffice:company_edit": form(NOT_ANALYSTS),
    "loyalty_backoffice:company_import": form(MARKETERS),
    "loyalty_backoffice:company_import_sample": read(MARKETERS),
    "loyalty_backoffice:pool_create": form(NOT_ANALYSTS),
    "loyalty_backoffice:pool_edit": form(NOT_ANALYSTS),
    "loyalty_backoffice:pool_close": form(NOT_ANALYSTS),
    "loyalty_backoffice:pool_member_add": form(NOT_ANALYSTS),
    "loyalty_backoffice:pool_member_edit": form(NOT_ANALYSTS),
    "loyalty_backoffice:pool_member_remove": form(NOT_ANALYSTS),
    "loyalty_backoffice:pool_move": form(NOT_ANALYSTS),
    "loyalty_backoffice:pool_move_preview": read(NOT_ANALYSTS),
    "loyalty_backoffice:program_list": read(EVERYBODY),
    "loyalty_backoffice:program_page": read(EVERYBODY),
    "loyalty_backoffice:program_by_id": read(EVERYBODY),
    "loyalty_backoffice:program_figures": read(EVERYBODY),
    "loyalty_backoffice:program_trend": read(EVERYBODY),
    "loyalty_backoffice:program_export": read(EVERYBODY),
    "loyalty_backoffice:template_gallery": read(MARKETERS),
    "loyalty_backoffice:template_page": form(MARKETERS),
    "loyalty_backoffice:till": form(AGENTS),
    "loyalty_backoffice:program_members": read(EVERYBODY),
    "loyalty_backoffice:candidate_list": read(EVERYBODY),
    "loyalty_backoffice:enrollment_file": form(MARKETERS),
    "loyalty_backoffice:enrollment_sample": read(MARKETERS),
    "loyalty_backoffice:join_link": read(EVERYBODY),
    "loyalty_backoffice:join_link_svg": read(EVERYBODY),
    "loyalty_backoffice:join_link_png": read(EVERYBODY),
    "loyalty_backoffice:launch_page": read(EVERYBODY),
    "loyalty_backoffice:launch_edit": form(MARKETERS),
    "loyalty_backoffice:launch_places": read(EVERYBODY),
    "loyalty_backoffice:launch_list": write(MARKETERS),
    "loyalty_backoffice:launch_stop": write(MARKETERS),
    "loyalty_backoffice:launch_resume": write(MARKETERS),
    "loyalty_backoffice:launch_checklist": read(EVERYBODY),
    "loyalty_backoffice:launch_dashboard": read(EVERYBODY),
    "loyalty_backoffice:knowledge": form(EVERYBODY),
    "loyalty_backoffice:program_create": form(MARKETERS),
    "loyalty_backoffice:wizard_start": form(MARKETERS),
    "loyalty_backoffice:wizard_step": form(MARKETERS),
    "loyalty_backoffice:wizard_preview": write(MARKETERS),
    "loyalty_backoffice:wizard_discard": write(MARKETERS),
    "loyalty_backoffice:wizard_backtest": write(MARKETERS),
    "loyalty_backoffice:program_code": read(MARKETERS),
    "loyalty_backoffice:program_example": write(MARKETERS),
    "loyalty_backoffice:line_values_add": write(MARKETERS),
    "loyalty_backoffice:line_value_options": read(MARKETERS),
    "loyalty_backoffice:program_edit": form(MARKETERS),
    "loyalty_backoffice:program_publish": form(MARKETERS),
    "loyalty_backoffice:giving": read(EVERYBODY),
    "loyalty_backoffice:giving_panel": read(EVERYBODY),
    "loyalty_backoffice:standing_gift_end": write(NOT_ANALYSTS),
    "loyalty_backoffice:charity": read(EVERYBODY),
    "loyalty_backoffice:charity_create": form(MARKETERS),
    "loyalty_backoffice:charity_edit": form(MARKETERS),
    "loyalty_backoffice:charity_state": write(MARKETERS),
    "loyalty_backoffice:charity_pay_out": form(MARKETERS),
    "loyalty_backoffice:charity_payout": read(EVERYBODY),
    "loyalty_backoffice:charity_payout_csv": read(EVERYBODY),
    "loyalty_backoffice:charity_payout_pay": form(MARKETERS),
    "loyalty_backoffice:charity_payout_take_back": form(MARKETERS),
    "loyalty_backoffice:pledge_create": form(MARKETERS),
    "loyalty_backoffice:pledge_edit": form(MARKETERS),
    "loyalty_backoffice:pledge_state": write(MARKETERS),
    "loyalty_backoffice:goals_panel": read(EVERYBODY),
    "loyalty_backoffice:goal_list": read(EVERYBODY),
    "loyalty_backoffice:goals_of": read(EVERYBODY),
    "loyalty_backoffice:goal_create": form(MARKETERS),
    "loyalty_backoffice:goal_edit": form(MARKETERS),
    "loyalty_backoffice:goal_close": form(MARKETERS),
    "loyalty_backoffice:program_pause": form(MARKETERS),
    "loyalty_backoffice:program_resume": form(MARKETERS),
    "loyalty_backoffice:program_end": form(MARKETERS),
    "loyalty_backoffice:program_go_on": form(MARKETERS),
    "loyalty_backoffice:program_archive": form(MARKETERS),
    "loyalty_backoffice:rule_by_id": read(EVERYBODY),
    "loyalty_backoffice:rule_list": read(EVERYBODY),
    "loyalty_backoffice:rule_order": write(MARKETERS),
    "loyalty_backoffice:rule_settings": write(ADMINISTRATORS),
    "loyalty_backoffice:rule_calendar": read(EVERYBODY),
    "loyalty_backoffice:rule_gallery": read(MARKETERS),
    "loyalty_backoffice:rule_create": form(MARKETERS),
    "loyalty_backoffice:rule_preview": write(MARKETERS),
    "loyalty_backoffice:rule_page": read(EVERYBODY),
    "loyalty_backoffice:rule_edit": form(MARKETERS),
    "loyalty_backoffice:rule_publish": form(MARKETERS),
    "loyalty_backoffice:rule_discard": form(MARKETERS),
    "loyalty_backoffice:rule_retire": form(MARKETERS),
    "loyalty_backoffice:rule_keep": write(MARKETERS),
    "loyalty_backoffice:rule_send_back": form(MARKETERS),
    "loyalty_backoffice:rule_undo": write(MARKETERS),
    "loyalty_backoffice:terms_apply": form(MARKETERS),
    "loyalty_backoffice:terms_effect": read(MARKETERS),
    "loyalty_backoffice:liability": read(NOT_AGENTS),
    "loyalty_backoffice:liability_csv": read(NOT_AGENTS),
    "loyalty_backoffice:liability_members": read(NOT_AGENTS),
    "loyalty_backoffice:breakage": read(NOT_AGENTS),
    "loyalty_backoffice:breakage_csv": read(NOT_AGENTS),
    "loyalty_backoffice:journal": read(NOT_AGENTS),
    "loyalty_backoffice:journal_csv": read(NOT_AGENTS),
    "loyalty_backoffice:journal_discounts": read(NOT_AGENTS),
    "loyalty_backoffice:account_codes": form(MARKETERS),
    "loyalty_backoffice:books_close": form(ADMINISTRATORS),
    "loyalty_backoffice:books_reopen": form(ADMINISTRATORS),
    "loyalty_backoffice:backtest_list": read(NOT_AGENTS),
    "loyalty_backoffice:backtest_create": form(NOT_AGENTS),
    "loyalty_backoffice:backtest_compare": read(NOT_AGENTS),
    "loyalty_backoffice:backtest_of_job": read(NOT_AGENTS),
    "loyalty_backoffice:backtest_page": read(NOT_AGENTS),
    "loyalty_backoffice:backtest_stop": write(NOT_AGENTS),
    "loyalty_backoffice:backtest_resume": write(NOT_AGENTS),
    "loyalty_backoffice:self_check_list": read(NOT_AGENTS),
    "loyalty_backoffice:self_check": read(NOT_AGENTS),
    "loyalty_backoffice:import_list": read(MARKETERS),
    "loyalty_backoffice:import_create": form(MARKETERS),
    "loyalty_backoffice:import_sample": read(MARKETERS),
    "loyalty_backoffice:import_page": read(MARKETERS),
    "loyalty_backoffice:import_errors": read(MARKETERS),
    "loyalty_backoffice:import_resume": write(MARKETERS),
    "loyalty_backoffice:import_cancel": write(MARKETERS),
    "loyalty_backoffice:approval_list": read(NOT_ANALYSTS),
    "loyalty_backoffice:approval": form(NOT_ANALYSTS),
    "loyalty_backoffice:approval_reject": form(MARKETERS),
    "loyalty_backoffice:approval_withdraw": write(NOT_ANALYSTS),
    "loyalty_backoffice:bulk_list": read(MARKETERS),
    "loyalty_backoffice:bulk_create": form(MARKETERS),
    "loyalty_backoffice:bulk_sample": read(MARKETERS),
    "loyalty_backoffice:bulk_page": read(MARKETERS),
    "loyalty_backoffice:bulk_of_job": read(MARKETERS),
    "loyalty_backoffice:bulk_problems": read(MARKETERS),
    "loyalty_backoffice:bulk_post": write(MARKETERS),
    "loyalty_backoffice:bulk_approve": write(MARKETERS),
    "loyalty_backoffice:bulk_reject": form(MARKETERS),
    "loyalty_backoffice:bulk_withdraw": write(MARKETERS),
    "loyalty_backoffice:bulk_undo": write(MARKETERS),
    "loyalty_backoffice:bulk_stop": write(MARKETERS),
    "loyalty_backoffice:bulk_resume": write(MARKETERS),
    "loyalty_backoffice:reason_list": read(ADMINISTRATORS),
    "loyalty_backoffice:reason_create": form(ADMINISTRATORS),
    "loyalty_backoffice:reason_edit": form(ADMINISTRATORS),
    "loyalty_backoffice:limit_list": read(ADMINISTRATORS),
    "loyalty_backoffice:limit_create": form(ADMINISTRATORS),
    "loyalty_backoffice:limit_edit": form(ADMINISTRATORS),
    "loyalty_backoffice:limit_remove": write(ADMINISTRATORS),
}


def addresses(
    resolver: URLResolver, path: str = "", namespace: str = ""
) -> Iterator[tuple[str, URLPattern]]:
    """Every named pattern below the back-office's prefix."""
    for item in resolver.url_patterns:
        whole = path + str(item.pattern)
        if isinstance(item, URLResolver):
            inner = f"{namespace}{item.namespace}:" if item.namespace else namespace
            yield from addresses(item, whole, inner)
        elif whole.startswith(PREFIX) and not whole.startswith(ELSEWHERE):
            yield f"{namespace}{item.name}", item


PATTERNS = dict(addresses(get_resolver()))


def test_the_table_names_every_address_of_the_back_office() -> None:
    assert sorted(set(PATTERNS) - set(TABLE)) == [], "without a line in the table"
    assert sorted(set(TABLE) - set(PATTERNS)) == [], "in the table only"


@dataclass
class World:
    """Everybody who may ask, and something for each address to be about."""

    clients: dict[str, Client]
    objects: dict[str, dict[str, Any]]

    def url(self, name: str) -> str:
        converters = PATTERNS[name].pattern.converters
        known = self.objects.get(name, {})
        invented = {"UUIDConverter": uuid.uuid4(), "IntConverter": 0, "SlugConverter": "x"}
        kwargs = {
            argument: known.get(argument, invented.get(type(converter).__name__, "x"))
            for argument, converter in converters.items()
        }
        return reverse(name, kwargs=kwargs)


def signed_in(user: User) -> Client:
    client = Client(raise_request_exception=True)
    client.force_login(user, "django.contrib.auth.backends.ModelBackend")
    return client


@pytest.fixture
def world(db: None) -> World:
    clients = {role: signed_in(StaffMemberFactory(role=role).user) for role in EVERYBODY}
    customer, job = CustomerFactory(with_user=True), JobFactory()
    clients["customer"] = signed_in(customer.user)
    clients["former colleague"] = signed_in(UserFactory())
    clients["anonymous"] = Client()
    person, key = StaffMemberFactory(), ApiKeyFactory()
    of_customer = {"public_id": customer.public_id}
    objects: dict[str, dict[str, Any]] = {
        name: of_customer for name in TABLE if name.startswith("backoffice:customer")
    }
    objects |= {name: {"pk": person.pk} for name in TABLE if name.startswith("backoffice:team_")}
    objects |= {name: {"public_id": job.public_id} for name in TABLE if "backoffice:job" in name}
    objects["backoffice:job_start"] = {"key": "daily_totals"}
    objects["backoffice:api_key_revoke"] = {"pk": key.pk}
    objects["backoffice:styleguide_panel"] = {"state": "fine"}
    for name in (
        "wallet_panel", "movement_panel", "lot_panel", "order_panel", "customer_past", "enroll",
        "customer_adjust", "customer_give", "pool_panel",
    ):  # fmt: skip
        objects[f"loyalty_backoffice:{name}"] = of_customer
    objects["rewards_backoffice:redemption_panel"] = of_customer
    objects["rewards_backoffice:checkout_panel"] = of_customer
    objects["rewards_backoffice:gift_card_panel"] = of_customer
    objects["rewards_backoffice:task_panel"] = of_customer
    objects["messages_backoffice:message_panel"] = of_customer
    objects["messages_backoffice:consents"] = of_customer
    words = {"code": "gift", "channel": "email", "locale": "en"}
    for name in ("occasion", "language", "words", "preview", "test", "archive"):
        objects[f"messages_backoffice:{name}"] = words
    tool = connect("mapped")
    objects |= {
        name: {"public_id": tool.public_id} for name in TABLE if "connections:connection_" in name
    }
    objects["connections:connection"] = {"public_id": tool.public_id}
    of_journey = {"public_id": make_journey().public_id, "key": "s1"}
    objects |= {name: of_journey for name in TABLE if ":journey" in name}
    endpoint = make_endpoint("https://listener.example/hooks")
    objects |= {
        name: {"public_id": endpoint.public_id} for name in TABLE if "webhooks:endpoint_" in name
    }
    objects["webhooks:endpoint"] = {"public_id": endpoint.public_id}
    return World(clients, objects)


def answer(client: Client, method: str, url: str) -> HttpResponseBase:
    return client.get(url) if method == "GET" else client.post(url, {})


def let_in(response: HttpResponseBase) -> bool:
    assert response.status_code < 500, response.status_code
    if response.status_code == 302:
        return not response["Location"].startswith(reverse("account_login"))
    return response.status_code not in (401, 403)


@pytest.mark.parametrize(
    ("name", "method"),
    [(name, method) for name, who in TABLE.items() for method in who],
)
def test_the_address_opens_to_those_it_should_and_to_nobody_else(
    world: World, name: str, method: str
) -> None:
    url = world.url(name)
    # Strangers first: what a role may do could change what there is to see.
    order = ["anonymous", "customer", "former colleague", *sorted(EVERYBODY)]
    admitted = {who for who in order if let_in(answer(world.clients[who], method, url))}
    assert admitted == TABLE[name][method]


@pytest.mark.parametrize("name", TABLE)
def test_the_address_knows_no_other_method(world: World, name: str) -> None:
    for method in {"GET", "POST"} - set(TABLE[name]):
        response = answer(world.clients[ADMINISTRATOR], method, world.url(name))
        assert response.status_code == 405
    assert world.clients[ADMINISTRATOR].delete(world.url(name)).status_code == 405


def test_strangers_are_sent_to_sign_in_and_come_back(world: World) -> None:
    url = world.url("backoffice:customer_list")
    response = world.clients["anonymous"].get(f"{url}?q=anna")
    assert response["Location"] == f"{reverse('account_login')}?next={url}%3Fq%3Danna"


def test_a_form_from_another_site_changes_nothing(world: World) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = world.clients[ADMINISTRATOR].cookies
    for name, who in TABLE.items():
        if "POST" in who:
            assert strict.post(world.url(name), {}).status_code == 403, name


def test_the_repair_pages_open_to_superusers_only(world: World) -> None:
    url = reverse("admin:index")
    for client in world.clients.values():
        assert client.get(url).status_code == 302
    superuser = UserFactory()
    User.objects.filter(pk=superuser.pk).update(is_superuser=True)
    assert signed_in(superuser).get(url).status_code == 200


def test_every_role_is_in_the_table() -> None:
    assert set(StaffMember.Role.values) == EVERYBODY
