#!/usr/bin/env python3
"""Public data sets to rows with the storefront labels: public-data.py SOURCE OUT

SOURCE holds the sets as uniform JSONL (bitext_cs, clinc150, goemotions, multidogo_turn, uci_sentences); OUT gets one data directory
for each, with a train.jsonl of a few thousand rows at most. A row carries only the labels that its set really gives. Nothing of these
sets is kept in this repository; the model card names what the shipped model learned from each."""

import json
import random
import re
import sys
from pathlib import Path

SEED = 17

BITEXT = {
    "cancel_order": "cancel_order", "change_order": "change_order", "change_shipping_address": "change_address",
    "check_cancellation_fee": "cancel_order", "check_invoice": "invoice", "check_payment_methods": "payment_methods",
    "check_refund_policy": "return_policy", "complaint": "complaint", "contact_customer_service": "contact_info",
    "contact_human_agent": "human_agent", "create_account": "account_create", "delete_account": "account_delete",
    "delivery_period": "delivery_time", "edit_account": "account_update", "get_invoice": "invoice", "get_refund": "refund_request",
    "newsletter_subscription": "newsletter", "payment_issue": "payment_problem", "place_order": "place_order",
    "recover_password": "account_access", "registration_problems": "account_create", "review": "feedback",
    "set_up_shipping_address": "change_address", "switch_account": "account_update", "track_order": "track_order",
    "track_refund": "refund_status",
}
CLINC = {"greeting": "greeting", "goodbye": "goodbye", "thank_you": "thanks", "yes": "affirm", "no": "deny", "order_status": "track_order"}
# Intents of other assistants that a shop might be asked as well: neither in scope nor out of it.
CLINC_UNCLEAR = {
    "order", "shopping_list", "shopping_list_update", "cancel", "maybe", "repeat", "reset_settings", "change_user_name", "redeem_rewards",
    "rewards_balance", "replacement_card_duration", "transactions", "pay_bill", "bill_due", "bill_balance", "report_fraud", "credit_limit",
    "apr", "new_card", "report_lost_card", "card_declined", "damaged_card", "expiration_date", "cancel_reservation", "account_blocked",
    "freeze_account", "pin_change", "balance", "order_checks", "spending_history", "warranty", "ingredients_list", "payday", "text",
}
EMOTIONS = {
    "anger": "anger", "annoyance": "frustration", "disappointment": "disappointment", "sadness": "disappointment",
    "confusion": "confusion", "gratitude": "gratitude", "admiration": "satisfaction", "joy": "satisfaction",
    "excitement": "satisfaction", "relief": "satisfaction", "approval": "satisfaction", "love": "satisfaction",
}
# Neighbours of our emotions: their absence is not known when one of these is present.
EMOTIONS_UNCLEAR = {"disapproval", "disgust", "grief", "remorse", "embarrassment", "curiosity", "realization", "surprise", "pride"}
DOGO = {"openinggreeting": "greeting", "closinggreeting": "goodbye", "thankyou": "thanks", "confirmation": "affirm", "rejection": "deny"}


def read(path):
    with open(path, encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def bitext(source, pick):
    by_intent = {}
    for row in read(source / "bitext_cs/train.jsonl"):
        if row["intent"] in BITEXT:
            text = row["text"]
            for entity in sorted(row["entities"], key=lambda e: -e["start"]):
                if "id" in entity["label"] or "number" in entity["label"]:
                    text = text[: entity["start"]] + order_number(pick) + text[entity["end"] :]
            by_intent.setdefault(row["intent"], {})[text.lower()] = {"text": text, "intent": BITEXT[row["intent"]]}
    for rows in by_intent.values():
        yield from sample(pick, list(rows.values()), 30)


def order_number(pick):
    digits = "".join(pick.choice("0123456789") for _ in range(pick.randint(4, 9)))
    return pick.choice(["", "", "A-", "ORD-", "SO", "#"]) + digits


def clinc150(source, pick):
    rows = read(source / "clinc150/train.jsonl")
    for ours in sorted(set(CLINC.values())):
        yield from sample(pick, [{"text": r["text"], "intent": ours} for r in rows if CLINC.get(r["intent"]) == ours], 40)
    other = [r for r in rows if r["intent"] not in CLINC and r["intent"] not in CLINC_UNCLEAR]
    yield from sample(pick, [{"text": r["text"], "intent": "out_of_scope"} for r in other], 700)


def goemotions(source, pick):
    kept = {"negative": [], "neutral": [], "positive": []}
    for row in read(source / "goemotions/train.jsonl"):
        names = set(row["emotions"])
        if row.get("sentiment") not in kept or not 3 <= len(row["text"].split()) <= 30 or "[NAME]" in row["text"]:
            continue
        out = {"text": row["text"], "sentiment": row["sentiment"]}
        if not names & EMOTIONS_UNCLEAR:
            out["emotions"] = sorted({EMOTIONS[name] for name in names if name in EMOTIONS})
        kept[row["sentiment"]].append(out)
    for rows in kept.values():
        yield from sample(pick, rows, 600)


def uci(source, pick):
    for name in ("amazon_cells", "yelp"):
        for row in read(source / f"uci_sentences/{name}/all.jsonl"):
            yield {"text": row["text"], "sentiment": row["sentiment"]}


def multidogo(source, pick):
    by_intent = {}
    for path in sorted((source / "multidogo_turn").glob("*/train.jsonl")):
        for row in read(path):
            if row.get("intents") and len(row["intents"]) == 1 and row["intents"][0] in DOGO and len(row["text"]) < 80:
                key = re.sub(r"\W+", " ", row["text"].lower()).strip()
                if key:
                    by_intent.setdefault(DOGO[row["intents"][0]], {})[key] = row["text"]
    for intent, texts in sorted(by_intent.items()):
        yield from sample(pick, [{"text": text, "intent": intent} for text in texts.values()], 50)


def sample(pick, rows, limit):
    return rows if len(rows) <= limit else pick.sample(rows, limit)


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    source, out = Path(sys.argv[1]), Path(sys.argv[2])
    for make in (bitext, clinc150, goemotions, multidogo, uci):
        rows = list(make(source, random.Random(SEED)))
        folder = out / make.__name__
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "train.jsonl", "w", encoding="utf-8") as file:
            file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        print(f"{folder}: {len(rows)} rows")


if __name__ == "__main__":
    main()
